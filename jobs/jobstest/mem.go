package jobstest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// Mem is a queue in memory: for tests of what stands on a queue. It keeps every promise of jobs.Queue and jobs.Reader but
// durability.
type Mem struct {
	// Now is the queue's clock, and Lease how long an owner holds items without a sign of life. Neither may be changed once
	// the queue is used.
	Now   func() time.Time
	Lease time.Duration

	mu      sync.Mutex
	items   []*memItem // by number, from 1
	byKey   map[memKey]*memItem
	order   []*memItem  // item order; nil where it has to be sorted again
	listing *memListing // the newest, until it has ended; nil where none goes on
	owners  int64
	leases  map[int64]time.Time // owner to the lease's end; owners that released theirs are not in it
}

type memKey struct{ source, id string }

type memItem struct {
	jobs.Item
	pos      int64
	question string
	state    pipeline.State
	owner    int64
	record   *pipeline.Record // the newest outcome
	fault    string           // the text of the Ref.Err that it failed with; "" where it could be had
	goneAt   time.Time        // zero while it is there
}

var (
	_ jobs.Queue  = (*Mem)(nil)
	_ jobs.Reader = (*Mem)(nil)
)

// NewMem makes an empty queue with the process's clock and jobs.DefaultLease.
func NewMem() *Mem {
	return &Mem{
		Now:    time.Now,
		Lease:  jobs.DefaultLease,
		byKey:  map[memKey]*memItem{},
		leases: map[int64]time.Time{},
	}
}

// List implements jobs.Queue.
func (m *Mem) List(ctx context.Context, question string) (jobs.Listing, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listing = &memListing{m: m, question: question, seen: map[int64]bool{}}
	return m.listing, nil
}

// Join implements jobs.Queue.
func (m *Mem) Join(ctx context.Context) (jobs.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owners++
	m.leases[m.owners] = m.Now().Add(m.Lease)
	return &memLease{m: m, owner: m.owners}, nil
}

// Counts implements jobs.Reader.
func (m *Mem) Counts(ctx context.Context) (jobs.Counts, error) {
	if err := ctx.Err(); err != nil {
		return jobs.Counts{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var c jobs.Counts
	for _, it := range m.items {
		it.count(&c)
	}
	return c, nil
}

func (it *memItem) count(c *jobs.Counts) {
	switch {
	case it.gone():
		c.Gone++
	case it.state == pipeline.Pending:
		c.Pending++
	case it.state == pipeline.Claimed:
		c.Claimed++
	case it.state == pipeline.Done:
		c.Done++
	case it.state == pipeline.Truncated:
		c.Truncated++
	case it.state == pipeline.Failed:
		c.Failed++
	}
}

// Records implements jobs.Reader. It yields what was there when it was called.
func (m *Mem) Records(ctx context.Context) iter.Seq2[pipeline.Record, error] {
	return m.records(ctx, func(it *memItem) bool { return !it.gone() })
}

// AllRecords implements jobs.Reader. It yields what was there when it was called.
func (m *Mem) AllRecords(ctx context.Context) iter.Seq2[pipeline.Record, error] {
	return m.records(ctx, func(*memItem) bool { return true })
}

func (m *Mem) records(ctx context.Context, which func(it *memItem) bool) iter.Seq2[pipeline.Record, error] {
	return func(yield func(pipeline.Record, error) bool) {
		for _, rec := range m.snapshot(which) {
			if err := ctx.Err(); err != nil {
				yield(pipeline.Record{}, err)
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func (m *Mem) snapshot(which func(it *memItem) bool) []pipeline.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	var recs []pipeline.Record
	for _, it := range m.sorted() {
		if which(it) {
			recs = append(recs, it.current())
		}
	}
	return recs
}

func (it *memItem) gone() bool { return !it.goneAt.IsZero() }

// current is the record as Records yields it.
func (it *memItem) current() pipeline.Record {
	if !it.state.Final() {
		return pipeline.Record{Ref: it.Ref, State: it.state, Gone: it.goneAt}
	}
	rec := *it.record
	rec.Ref, rec.State, rec.Attempts, rec.Gone = it.Ref, it.state, nil, it.goneAt
	return rec
}

// sorted gives the items in item order.
func (m *Mem) sorted() []*memItem {
	if m.order == nil {
		m.order = slices.Clone(m.items)
		slices.SortFunc(m.order, func(a, b *memItem) int {
			return cmp.Or(cmp.Compare(a.pos, b.pos), cmp.Compare(a.Num, b.Num))
		})
	}
	return m.order
}

type memListing struct {
	m        *Mem
	question string
	seen     map[int64]bool
	pos      int64
}

// Add implements jobs.Listing.
func (l *memListing) Add(ctx context.Context, refs []pipeline.Ref) (jobs.Tally, error) {
	var tally jobs.Tally
	if err := ctx.Err(); err != nil {
		return tally, err
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if err := l.checkTwice(refs); err != nil {
		return tally, err
	}
	for _, ref := range refs {
		l.add(ref).tally(&tally)
	}
	l.m.order = nil
	return tally, nil
}

// checkTwice finds a ref that was added before, so that a batch is added whole or not at all.
func (l *memListing) checkTwice(refs []pipeline.Ref) error {
	batch := map[memKey]bool{}
	for _, ref := range refs {
		key := memKey{ref.Source, ref.ID}
		it := l.m.byKey[key]
		if batch[key] || it != nil && l.seen[it.Num] {
			return fmt.Errorf("add %q of %s: listed twice", ref.ID, ref.Source)
		}
		batch[key] = true
	}
	return nil
}

func (l *memListing) add(ref pipeline.Ref) *memItem {
	it := l.m.byKey[memKey{ref.Source, ref.ID}]
	changed := it == nil || it.Stamp != ref.Stamp || it.question != l.question || it.fault != faultOf(ref)
	if it == nil {
		it = l.m.newItem(ref)
	} else if changed {
		it.Reason = it.reason(ref)
	}
	l.pos++
	it.Ref, it.pos, it.question, it.goneAt = ref, l.pos, l.question, time.Time{}
	it.Ref.Err = nil
	it.Fields = slices.Clone(ref.Fields)
	l.seen[it.Num] = true
	if changed {
		it.restart(ref, l.m.Now())
	}
	return it
}

// reason is why a listing that finds ref makes the item pending.
func (it *memItem) reason(ref pipeline.Ref) jobs.Reason {
	switch {
	case it.record == nil:
		return jobs.New
	case it.Stamp != ref.Stamp, it.fault != faultOf(ref), it.state == pipeline.Pending && it.Reason == jobs.Changed:
		return jobs.Changed
	}
	return jobs.Question
}

func (m *Mem) newItem(ref pipeline.Ref) *memItem {
	it := &memItem{Item: jobs.Item{Num: int64(len(m.items)) + 1, Reason: jobs.New}}
	m.items = append(m.items, it)
	m.byKey[memKey{ref.Source, ref.ID}] = it
	return it
}

// restart makes a new or changed item pending, or failed where its document can't be had.
func (it *memItem) restart(ref pipeline.Ref, now time.Time) {
	it.state, it.owner, it.Attempts, it.fault = pipeline.Pending, 0, 0, faultOf(ref)
	if ref.Err != nil {
		it.state = pipeline.Failed
		it.record = &pipeline.Record{Err: ref.Err, Started: now}
	}
}

func faultOf(ref pipeline.Ref) string {
	if ref.Err == nil {
		return ""
	}
	return string(ref.Err.Class) + " " + ref.Err.Kind + " " + ref.Err.Error()
}

func (it *memItem) tally(t *jobs.Tally) {
	switch {
	case it.fault != "":
		t.Failed++
	case it.state.Final():
		t.Rested++
	default:
		t.Pending++
	}
}

// End implements jobs.Listing.
func (l *memListing) End(ctx context.Context) (gone int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if l.m.listing == l {
		l.m.listing = nil
	}
	for _, it := range l.m.items {
		if !it.gone() && !l.seen[it.Num] {
			it.goneAt = l.m.Now()
			gone++
		}
	}
	return gone, nil
}

type memLease struct {
	m     *Mem
	owner int64
}

// Owner implements jobs.Lease.
func (l *memLease) Owner() int64 { return l.owner }

// Claim implements jobs.Lease.
func (l *memLease) Claim(ctx context.Context, n int) ([]jobs.Item, error) {
	return l.claim(ctx, n, l.m.sorted)
}

// Take implements jobs.Lease.
func (l *memLease) Take(ctx context.Context, refs []pipeline.Ref) ([]jobs.Item, error) {
	return l.claim(ctx, len(refs), func() (named []*memItem) {
		for _, ref := range refs {
			if it := l.m.byKey[memKey{ref.Source, ref.ID}]; it != nil {
				named = append(named, it)
			}
		}
		return named
	})
}

// claim holds the first n of the items that can be claimed. from is called with m.mu held.
func (l *memLease) claim(ctx context.Context, n int, from func() []*memItem) ([]jobs.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if err := l.check(); err != nil {
		return nil, err
	}
	l.m.expire(l.owner)
	var claimed []jobs.Item
	for _, it := range from() {
		if len(claimed) >= n {
			break
		}
		if l.m.claimable(it) {
			claimed = append(claimed, l.hold(it))
		}
	}
	return claimed, nil
}

// claimable reports whether an item waits for a worker, and the listing that goes on has it.
func (m *Mem) claimable(it *memItem) bool {
	return it.state == pipeline.Pending && !it.gone() && (m.listing == nil || m.listing.seen[it.Num])
}

// hold marks an item as the owner's.
func (l *memLease) hold(it *memItem) jobs.Item {
	it.state, it.owner = pipeline.Claimed, l.owner
	return it.Item
}

func (l *memLease) check() error {
	if _, ok := l.m.leases[l.owner]; !ok {
		return fmt.Errorf("owner %d: the lease was released", l.owner)
	}
	return nil
}

// expire makes pending what is held under a lease that has run out.
func (m *Mem) expire(claimer int64) {
	for _, it := range m.items {
		if it.state == pipeline.Claimed && it.owner != claimer && m.leases[it.owner].Before(m.Now()) {
			it.state, it.owner = pipeline.Pending, 0
		}
	}
}

// Finish implements jobs.Lease.
func (l *memLease) Finish(ctx context.Context, outcomes []jobs.Outcome) (lost []int64, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, o := range outcomes {
		if err := checkOutcome(o); err != nil {
			return nil, err
		}
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	for _, o := range outcomes {
		if !l.finish(o) {
			lost = append(lost, o.Num)
		}
	}
	return lost, nil
}

func checkOutcome(o jobs.Outcome) error {
	rec := o.Record
	switch {
	case rec.State == pipeline.Pending:
	case !rec.State.Final():
		return fmt.Errorf("finish item %d: state %q is no outcome", o.Num, rec.State)
	case rec.State == pipeline.Failed && rec.Err == nil:
		return fmt.Errorf("finish item %d: failed without a reason", o.Num)
	case rec.State == pipeline.Done && rec.Err != nil:
		return fmt.Errorf("finish item %d: done, and yet: %w", o.Num, rec.Err)
	}
	return nil
}

func (l *memLease) finish(o jobs.Outcome) (ours bool) {
	if o.Num < 1 || o.Num > int64(len(l.m.items)) {
		return false
	}
	it := l.m.items[o.Num-1]
	if it.state != pipeline.Claimed || it.owner != l.owner {
		return false
	}
	if o.Record.State.Final() && o.Record.Stamp != it.Stamp {
		return false // an outcome of the document as it was before a listing changed it
	}
	it.state, it.owner = o.Record.State, 0
	it.Attempts += jobs.Counted(o.Record.Attempts)
	if o.Record.State.Final() {
		it.record = stored(o.Record)
	}
	return true
}

// stored is what remains of a record: errors as data, times to the millisecond.
func stored(rec *pipeline.Record) *pipeline.Record {
	kept := *rec
	kept.Attempts = nil
	kept.Started = kept.Started.Truncate(time.Millisecond).UTC()
	kept.Duration = kept.Duration.Truncate(time.Millisecond)
	if rec.State == pipeline.Failed {
		kept.Answer = ""
	}
	if rec.Err != nil {
		kept.Err = &pipeline.Error{
			Class: rec.Err.Class, Kind: rec.Err.Kind, Status: rec.Err.Status, Err: errors.New(rec.Err.Error()),
		}
	}
	return &kept
}

// Extend implements jobs.Lease.
func (l *memLease) Extend(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	if err := l.check(); err != nil {
		return err
	}
	l.m.leases[l.owner] = l.m.Now().Add(l.m.Lease)
	return nil
}

// Release implements jobs.Lease.
func (l *memLease) Release(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.m.mu.Lock()
	defer l.m.mu.Unlock()
	delete(l.m.leases, l.owner)
	for _, it := range l.m.items {
		if it.state == pipeline.Claimed && it.owner == l.owner {
			it.state, it.owner = pipeline.Pending, 0
		}
	}
	return nil
}
