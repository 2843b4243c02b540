// Package jobs works a job: it keeps an item for each document (Queue), hands items to workers, and stores what became of
// them, so that an interrupted run goes on where it stood (Runner).
//
// It knows no store: jobs/sqlite is one, jobs/jobstest has another in memory and the suite that every one must pass.
// Nothing here assumes that the store is local, that there is one process, or that its own clock is the store's.
package jobs

import (
	"context"
	"iter"
	"time"

	"docbatch/pipeline"
)

// An Item is the job's entry for one document.
type Item struct {
	pipeline.Ref
	Num      int64  // the queue's number for it; never used again
	Attempts int    // how many attempts have been counted against it since it became pending
	Reason   Reason // why it became pending
	After    int64  // with Again: see pipeline.Document.After; else 0
}

// A Reason is why an item became pending when it last did.
type Reason string

// The reasons.
const (
	New      Reason = "new"      // it has had no outcome yet
	Changed  Reason = "changed"  // its document has another stamp than the one of its record
	Question Reason = "question" // the document is the same, what is asked of it is not
	Again    Reason = "again"    // somebody wants it asked again
)

// An Outcome is what a worker has to say of an item that it holds.
type Outcome struct {
	Num    int64
	Reason Reason // as the Item had it

	// Record is the outcome. With a State that is Final it is stored and the item rests; with Pending the item is released:
	// it waits again and nothing is stored but its Attempts.
	Record *pipeline.Record
}

// Counted is how many attempts count against an item: those that may go well the next time. One that was asked to wait costs
// nothing, nor does one that says more of the configuration than of the document.
func Counted(attempts []pipeline.Attempt) int {
	n := 0
	for _, a := range attempts {
		if a.Class == pipeline.Transient {
			n++
		}
	}
	return n
}

// A Queue holds the items of one job, in the order in which they were listed, and the record of each.
type Queue interface {
	// List begins a listing of all the documents of the job as it is now. question is the fingerprint of what is asked: an
	// item rests as long as its stamp and question are those of its record. One listing goes on at a time. Until it has ended, only
	// items that were added to it are claimed: the others may be gone, or have changed.
	List(ctx context.Context, question string) (Listing, error)

	// Join gives a new owner a lease: the right to hold items. Owners are one life of one process; a number is never used
	// again.
	Join(ctx context.Context) (Lease, error)
}

// A Listing brings the items in line with the documents that are there. It is used by one goroutine at a time.
type Listing interface {
	// Add makes refs the next items in item order, durably. A new or changed document becomes pending; one that rests, waits
	// or is held stays as it is; one whose Ref.Err is set fails with it. A ref whose source and ID were added before in this
	// listing is an error.
	Add(ctx context.Context, refs []pipeline.Ref) (Tally, error)

	// End says that the listing is whole: items that were not added are gone. They keep their record, but are neither
	// claimed nor counted until they are listed again. A listing that was not ended changes nothing about them.
	End(ctx context.Context) (gone int, err error)
}

// A Tally counts what a Listing found, by what became of each ref.
type Tally struct {
	Pending int // waits for a worker, or is held by one: new, changed or not finished
	Rested  int // finished before, and neither the document nor the question changed
	Failed  int // can't be had: failed now, or in an earlier listing in the same way
}

// A Lease is an owner's right to hold items. Claim is used by one goroutine, the others by many.
type Lease interface {
	// Owner is the owner's number.
	Owner() int64

	// Claim takes up to n pending items, in item order, and fewer where they are large; none means that none is pending now, of those
	// that may be claimed. Items of another owner whose lease has expired count as pending.
	Claim(ctx context.Context, n int) ([]Item, error)

	// Take takes those of refs that are pending, in their order. Of a ref only its source and ID matter.
	Take(ctx context.Context, refs []pipeline.Ref) ([]Item, error)

	// Finish stores outcomes, all in one transaction, durably. An item that the owner does not hold any more is left as it
	// is and its number is returned: another owner answers for it.
	Finish(ctx context.Context, outcomes []Outcome) (lost []int64, err error)

	// Extend keeps the lease alive for the queue's lease time from now.
	Extend(ctx context.Context) error

	// Release ends the lease: all that is still held becomes pending again.
	Release(ctx context.Context) error
}

// Counts says how many documents of the job are in each state; those that are gone are in none.
type Counts struct {
	Pending   int `json:"pending"`
	Claimed   int `json:"claimed"`
	Done      int `json:"done"`
	Truncated int `json:"truncated"`
	Failed    int `json:"failed"`
	Gone      int `json:"gone"` // not in Total
}

// Total is the number of documents of the job.
func (c Counts) Total() int { return c.Pending + c.Claimed + c.Done + c.Truncated + c.Failed }

// Unfinished is the number of documents without an outcome.
func (c Counts) Unfinished() int { return c.Pending + c.Claimed }

// A Reader reads what a Queue holds, while others go on writing.
type Reader interface {
	// Counts counts the items by state.
	Counts(ctx context.Context) (Counts, error)

	// Records yields the record of every item that is not gone, in item order; for an item without outcome one of state
	// Pending or Claimed. Record.Attempts is not filled.
	Records(ctx context.Context) iter.Seq2[pipeline.Record, error]

	// AllRecords yields those of items that are gone too, where they were in the item order; Record.Gone is set then.
	AllRecords(ctx context.Context) iter.Seq2[pipeline.Record, error]
}

// DefaultLease is how long an owner holds items without a sign of life, unless a queue is told otherwise.
const DefaultLease = time.Minute
