package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"

	"docbatch/jobs"
	"docbatch/pipeline"
)

// listing brings the items in line with the documents. It walks over the documents and the items that are there side by
// side, in item order: as long as they agree nothing is written, so that a listing without news costs one read of each item.
type listing struct {
	s        *Store
	question int64

	mu   sync.RWMutex // held by who changes last and seen, and by who reads them from another goroutine
	last int64        // pos of the ref that was added last
	seen bitmap

	sources map[string]int64
	headers map[string]int64
	names   []string // of the header that came last, and its number: rows in a row have the same one
	header  int64
}

// List implements jobs.Queue.
func (s *Store) List(ctx context.Context, question string) (jobs.Listing, error) {
	l := &listing{s: s, sources: map[string]int64{}, headers: map[string]int64{}}
	err := s.writer.do(ctx, 0, func(tx *tx) (err error) {
		l.question, err = tx.intern("questions", "fingerprint", question)
		return err
	})
	if err != nil {
		return nil, err
	}
	s.listing.Store(l)
	return l, nil
}

// intern gives the number of a name in a table of names.
func (t *tx) intern(table, column, name string) (num int64, err error) {
	found, err := t.get("SELECT num FROM "+table+" WHERE "+column+" = ?", []any{name}, &num)
	if found || err != nil {
		return num, err
	}
	res, err := t.exec("INSERT INTO "+table+" ("+column+") VALUES (?)", name)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// A listed is a ref on its way into the store, and known is the item as it was there, where there is one in its place.
type listed struct {
	*pipeline.Ref
	source int64
	header int64 // 0 for a file
	fault  string
	fields string // JSON; "" for a file, and until it is needed
	same   *known // the item, where nothing about it is to be written as long as its place in the order is right
	near   bool   // there is an item of that ID near by
	stays  int    // index of the next ref behind it that has a same; the length of the batch where there is none
}

type known struct {
	num                int64
	source             int64
	id, name, stamp    string
	row, pos, question int64
	header             int64
	state              pipeline.State
	fault              string
}

// Add implements jobs.Listing.
func (l *listing) Add(ctx context.Context, refs []pipeline.Ref) (jobs.Tally, error) {
	batch, err := l.resolve(ctx, refs)
	if err != nil {
		return jobs.Tally{}, err
	}
	if err := l.compare(ctx, batch); err != nil {
		return jobs.Tally{}, err
	}
	var a adding
	if l.agrees(batch) {
		a.begin(l, batch, nil)
		err = a.run()
	} else {
		bytes := 0
		for i := range batch {
			bytes += batch[i].encode()
		}
		err = l.s.writer.do(ctx, bytes, func(tx *tx) error {
			a.begin(l, batch, tx)
			return a.run()
		})
	}
	if err != nil {
		return jobs.Tally{}, err
	}
	l.note(&a)
	return a.tally, nil
}

// note takes down what was added.
func (l *listing) note(a *adding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = a.last
	for _, num := range a.nums {
		l.seen.set(num)
	}
}

// end is where the listing stands: items behind that place were not added.
func (l *listing) end() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.last
}

// has reports whether an item was added. Any goroutine may ask.
func (l *listing) has(num int64) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.seen.has(num)
}

// resolve replaces what many refs share by its number.
func (l *listing) resolve(ctx context.Context, refs []pipeline.Ref) ([]listed, error) {
	batch := make([]listed, len(refs))
	for i := range refs {
		r := &refs[i]
		source, err := l.number(ctx, l.sources, "sources", "name", r.Source)
		if err != nil {
			return nil, err
		}
		header, err := l.headerOf(ctx, r.Fields)
		if err != nil {
			return nil, err
		}
		batch[i] = listed{Ref: r, source: source, header: header, fault: faultOf(r.Err)}
	}
	return batch, nil
}

func (l *listing) number(ctx context.Context, cache map[string]int64, table, column, name string) (int64, error) {
	if num, ok := cache[name]; ok {
		return num, nil
	}
	var num int64
	err := l.s.writer.do(ctx, 0, func(tx *tx) (err error) {
		num, err = tx.intern(table, column, name)
		return err
	})
	if err == nil {
		cache[name] = num
	}
	return num, err
}

// headerOf gives the number of the fields' names; 0 for no fields.
func (l *listing) headerOf(ctx context.Context, fields []pipeline.Field) (int64, error) {
	if len(fields) == 0 {
		return 0, nil
	}
	if l.header != 0 && slices.EqualFunc(l.names, fields, func(name string, f pipeline.Field) bool { return name == f.Name }) {
		return l.header, nil
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	num, err := l.number(ctx, l.headers, "headers", "names", encodeStrings(names))
	if err == nil {
		l.names, l.header = names, num
	}
	return num, err
}

// encodeStrings is a JSON array of strings, without the escapes that are for HTML.
func encodeStrings(list []string) string {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(list); err != nil {
		panic(err) // strings can always be encoded
	}
	return string(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// encode makes the JSON of the fields and returns about how many bytes the ref takes.
func (r *listed) encode() int {
	if r.header != 0 {
		values := make([]string, len(r.Fields))
		for i, f := range r.Fields {
			values[i] = f.Value
		}
		r.fields = encodeStrings(values)
	}
	return len(r.fields) + len(r.ID) + len(r.Name) + len(r.Stamp) + len(r.fault)
}

// faultOf is what an item remembers of the Ref.Err that it failed with, to tell whether it is the same the next time.
func faultOf(err *pipeline.Error) string {
	if err == nil {
		return ""
	}
	return string(err.Class) + " " + err.Kind + " " + err.Error()
}

// compare looks at as many items as there are refs, from where the listing stands, and marks the refs that equal theirs.
func (l *listing) compare(ctx context.Context, batch []listed) error {
	items, err := l.s.itemsAfter(ctx, l.last, len(batch))
	if err != nil {
		return err
	}
	var byKey map[itemKey]int
	next := 0
	for i := range batch {
		r := &batch[i]
		at := next
		if at >= len(items) || items[at].key() != r.key() {
			if byKey == nil {
				byKey = index(items)
			}
			var ok bool
			if at, ok = byKey[r.key()]; !ok {
				continue
			}
		}
		r.near = true
		if at >= next && r.equals(&items[at], l.question) {
			r.same = &items[at]
		}
		next = max(next, at+1)
	}
	lookAhead(batch)
	return nil
}

// lookAhead sets stays.
func lookAhead(batch []listed) {
	stays := len(batch)
	for i := len(batch) - 1; i >= 0; i-- {
		batch[i].stays = stays
		if batch[i].same != nil {
			stays = i
		}
	}
}

type itemKey struct {
	source int64
	id     string
}

func (k *known) key() itemKey  { return itemKey{k.source, k.id} }
func (r *listed) key() itemKey { return itemKey{r.source, r.ID} }

func index(items []known) map[itemKey]int {
	byKey := make(map[itemKey]int, len(items))
	for i := range items {
		byKey[items[i].key()] = i
	}
	return byKey
}

// equals reports whether nothing of the item would change but perhaps its place.
func (r *listed) equals(k *known, question int64) bool {
	return !r.differs(k, question) && k.name == r.Name && k.row == int64(r.Row) && k.header == r.header
}

// differs reports whether the item is another document now, or another question is asked of it.
func (r *listed) differs(k *known, question int64) bool {
	return k.stamp != r.Stamp || k.question != question || k.fault != r.fault
}

// itemsAfter reads n items that are not gone and come after pos, in item order.
func (r *Reader) itemsAfter(ctx context.Context, pos int64, n int) ([]known, error) {
	rows, err := r.after.QueryContext(ctx, pos, n)
	if err != nil {
		return nil, r.failure(ctx, "read items", err)
	}
	defer rows.Close()
	items := make([]known, 0, n)
	for rows.Next() {
		var k known
		if err := rows.Scan(&k.num, &k.source, &k.id, &k.name, &k.row, &k.pos, &k.stamp, &k.question, &k.header, &k.state, &k.fault); err != nil {
			return nil, r.failure(ctx, "read items", err)
		}
		items = append(items, k)
	}
	return items, r.failure(ctx, "read items", rows.Err())
}

const selectAfter = `SELECT num, source, id, name, row, pos, stamp, question, coalesce(header, 0), state, coalesce(fault, '')
	FROM items INDEXED BY items_order WHERE gone_at IS NULL AND pos > ? ORDER BY pos LIMIT ?`

// agrees reports whether the batch needs no writing at all: every ref equals its item, they are in order, and none was added
// before.
func (l *listing) agrees(batch []listed) bool {
	last := l.last
	for i := range batch {
		k := batch[i].same
		if k == nil || k.pos <= last || l.seen.has(k.num) {
			return false
		}
		last = k.pos
	}
	return true
}

// End implements jobs.Listing.
func (l *listing) End(ctx context.Context) (gone int, err error) {
	err = l.s.writer.do(ctx, 0, func(tx *tx) error {
		gone = 0
		var there int
		if _, err := tx.get(`SELECT count(*) FROM items INDEXED BY items_order WHERE gone_at IS NULL`, nil, &there); err != nil {
			return err
		}
		if there == l.seen.count {
			return nil
		}
		gone, err = l.markGone(tx)
		return err
	})
	if err == nil {
		l.s.listing.CompareAndSwap(l, nil)
	}
	return gone, err
}

// markGone marks the items that were not seen, a page at a time: an index that is walked must not be changed meanwhile.
func (l *listing) markGone(tx *tx) (gone int, err error) {
	now := l.s.now()
	for from, more := int64(0), true; more; {
		var unseen []int64
		from, unseen, more, err = l.unseen(tx, from)
		if err != nil {
			return 0, err
		}
		for _, num := range unseen {
			if _, err := tx.exec(`UPDATE items SET gone_at = ? WHERE num = ?`, now, num); err != nil {
				return 0, err
			}
		}
		gone += len(unseen)
	}
	return gone, nil
}

func (l *listing) unseen(tx *tx, from int64) (last int64, unseen []int64, more bool, err error) {
	const page = 1000
	nums, err := tx.numbers(`SELECT num FROM items WHERE num > ? AND gone_at IS NULL ORDER BY num LIMIT ?`, from, page)
	if err != nil || len(nums) == 0 {
		return 0, nil, false, err
	}
	last = nums[len(nums)-1]
	return last, slices.DeleteFunc(nums, l.seen.has), true, nil
}

// A bitmap is a set of item numbers: one bit each, because a million of them must not cost memory.
type bitmap struct {
	words []uint64
	count int
}

func (b *bitmap) has(num int64) bool {
	return num/64 < int64(len(b.words)) && b.words[num/64]&(1<<(num%64)) != 0
}

func (b *bitmap) set(num int64) {
	if b.has(num) {
		return
	}
	for int64(len(b.words)) <= num/64 {
		b.words = append(b.words, 0)
	}
	b.words[num/64] |= 1 << (num % 64)
	b.count++
}
