// Package pipeline holds the nouns of docbatch and the contracts between its parts: what a document is, where it comes
// from (Source), what is done to it (Step), what became of it (Record) and where that is written (Sink).
//
// It knows no technology: no file format, no protocol, no store, and it imports nothing but the standard library.
// Everything else in this repository imports it; it imports nothing of this repository.
package pipeline

import (
	"context"
	"iter"
	"time"
)

// A Field is one column of a row: its name as the header has it (made unique and not empty) and its value as a person reads it.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A Ref is what a job remembers of a document to find it again.
type Ref struct {
	Source string  // name of the source that listed it; unique in a job
	ID     string  // unique in its source and the same in every run: a slash-separated path, a row's key or a hash of its values
	Name   string  // for people: a file's name, or "tickets.csv row 17"
	Stamp  string  // changes when the document does: size, time and mode of a file, hash of a row
	Row    int     // the row's number as a person counts it in the file, from 1, the header included; 0 for a file
	Fields []Field // the columns of a row, in order; nil for a file

	// Err is set when the document was listed but can't be had: an unreadable folder, a ragged row. The item fails with
	// it at once; no step runs.
	Err *Error
}

// A Document is one unit of work on its way through the steps: a file or a row.
type Document struct {
	Ref
	Path      string            // the file it lies in, as it was opened; a row's is that of its file
	MediaType string            // what the bytes are, for example "text/plain"; set by the extract step, "" before
	Data      []byte            // the bytes as read; nil for a row and after extraction
	Text      string            // the text that the agent gets: UTF-8, no NUL
	Images    []Image           // what the agent is to look at beside or in place of Text: a picture, the pages of a scan
	After     int64             // answers that were stored up to this number do not count: it is to be asked again; 0: all count
	Meta      map[string]string // what the format says of the document, such as "title"; may be nil
}

// An Image is a picture that an agent looks at: a document that is one, or a page of a document.
type Image struct {
	MediaType string // image/png, image/jpeg, image/gif or image/webp
	Data      []byte
	Page      int // the page that it shows, from 1; 0 where it is no page
}

// A Source lists documents and opens them. It is made by an Open or New of its package, which has already checked that
// the input is there and, for rows, read the header.
//
// List may be called several times, one after the other; Open is called by many goroutines at once, also while a List runs.
type Source interface {
	// Name is the name that the refs carry in Ref.Source.
	Name() string

	// Columns are the names of the fields that the documents have, in order; nil for files.
	Columns() []string

	// List yields every document once, in the same order each time as long as the input does not change. A document that
	// can't be had is yielded with Ref.Err set. A non-nil error ends the listing: the input as a whole can't be read on.
	// Memory does not grow with the number of documents, but for what telling equal rows apart needs.
	List(ctx context.Context) iter.Seq2[Ref, error]

	// Open reads the document of a ref that List yielded, in this run or an earlier one, within bounded memory. For a row
	// it takes all from the ref. Errors are of class Invalid where the document is at fault.
	Open(ctx context.Context, ref Ref) (*Document, error)

	// Close releases what the source holds. No other method is called after it.
	Close() error
}

// A Step is one thing done to a document: read, extract, ask, check. It is used by many goroutines at once.
type Step interface {
	// Name is the word for it in logs and errors.
	Name() string

	// Do reads from doc what earlier steps left there, adds what later ones need, and notes in rec what belongs to the
	// outcome. Its error ends the document's way; the class of the error (see ClassOf) decides what happens then.
	Do(ctx context.Context, doc *Document, rec *Record) error
}

// State is where a document stands.
type State string

// The states. Every document of a job is in exactly one.
const (
	Pending   State = "pending"   // waiting for a worker
	Claimed   State = "claimed"   // a worker has it
	Done      State = "done"      // answered
	Truncated State = "truncated" // answered, but the answer was cut at the agent's length limit
	Failed    State = "failed"    // no answer, for the reason in the record
)

// Final reports whether s is an outcome: no more work is waiting.
func (s State) Final() bool { return s == Done || s == Truncated || s == Failed }

// Tokens is what an answer cost, as the service counted it; zero where it did not say.
type Tokens struct {
	Prompt     int `json:"prompt"`
	Completion int `json:"completion"`
}

// Total is the sum of both kinds.
func (t Tokens) Total() int { return t.Prompt + t.Completion }

// An Attempt is one request sent, or tried to be sent, for a document.
type Attempt struct {
	Started  time.Time
	Duration time.Duration
	Status   int    // HTTP status; 0 where none came
	Class    Class  // "" for an attempt that brought the answer
	Kind     string // see Error.Kind; "" for an attempt that brought the answer
	Message  string // the service's own sentence, cleaned; "" for an attempt that brought the answer
}

// A Record is the outcome of an item: what became of one document.
type Record struct {
	Ref
	State    State         // Pending for an item that has no outcome yet
	Answer   string        // the agent's text; kept for Truncated, "" for Failed and Pending
	Err      *Error        // why it failed or was truncated; nil for Done and Pending
	Request  string        // hash of the request that was answered, in hex; "" where none was rendered
	Model    string        // the model that the service says it used
	Tokens   Tokens        // as the service counted them
	Cached   bool          // the answer was in the store already: nothing was sent
	Started  time.Time     // when the work on the document began
	Duration time.Duration // how long the work on it took, waiting for limits included
	Gone     time.Time     // when the document was found to be gone from the inputs; zero while it is there
	Warnings []string      // what of the document could not be read, in words; nil where all could
	Tries    int           // how many requests were sent for it
	Attempts []Attempt     // each of them, in order; filled while working, not when records are read back in bulk
}

// A Sink writes records where people want them. It is used by one goroutine.
type Sink interface {
	// Write adds one record. Records come in item order.
	Write(rec *Record) error

	// Commit makes what was written visible under its name, in one step and durably: until it returns nil the old
	// output, if there was one, is still whole.
	Commit() error

	// Discard drops what was written and leaves the old output as it was. After Commit it does nothing.
	Discard() error
}
