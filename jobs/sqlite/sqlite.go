// Package sqlite is the state file: a job's items, records, answers, attempts and runs in one SQLite file, as a jobs.Queue,
// a jobs.Reader and an agent.Store. All SQL of docbatch is here, and nothing else imports the driver.
//
// A file has one writer: the process that holds the lock beside it (Open). Within it one goroutine writes, in grouped
// transactions that are durable (synchronous=FULL) before anyone is told so. Any number of processes read (OpenReader).
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	driver "modernc.org/sqlite"

	"docbatch/jobs"
	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// Options are the settings of Open; the zero value is good.
type Options struct {
	// WaitLock is how long to wait for another process to let go of the state file; 0 means not at all.
	WaitLock time.Duration

	// Command is what this process is called in the message that others get while it holds the state file; "" means
	// "docbatch".
	Command string

	// Lease is how long an owner holds items without a sign of life; 0 means jobs.DefaultLease.
	Lease time.Duration

	// Held, if not nil, is called about once a second while writes wait because another program holds the state file, with how
	// long they have waited. It must return soon.
	Held func(time.Duration)

	// Scratch is for a file that is thrown away: a power cut may lose all that was stored in it.
	Scratch bool

	// Now is the store's clock; nil means time.Now.
	Now func() time.Time
}

// Store is the state file as its one writer has it. It is used by many goroutines at once.
type Store struct {
	*Reader
	opts     Options
	host     string
	lock     *lock
	db       *sql.DB
	writer   *writer
	listing  atomic.Pointer[listing] // the newest, until it has ended; nil where none goes on
	fresh    sync.Map                // request to number of an answer that was stored and whose outcome was not yet: no need to look for it
	storedMu sync.Mutex
	stored   *filter // of the requests that have an answer; nil until it is needed
}

var (
	_ jobs.Queue  = (*Store)(nil)
	_ jobs.Reader = (*Store)(nil)
	_ agent.Store = (*Store)(nil)
)

// Open opens the state file at path for writing and makes it where there is none; its folder must be there. Where path is a
// symbolic link, the state file is what that leads to, and all that belongs to it is beside that. What earlier owners still
// held is pending again: the lock says that none of them lives.
//
// The error is ErrLocked while another docbatch holds the file and ErrBusy while another program does; ErrNotState, ErrNewer or
// ErrDamaged where the file can't be used, ErrLost (which is ErrDamaged too) where it holds less than was stored in it: it is
// then left as it is. A file of an older version is brought up to date, and what it was is kept beside it as PATH.vN.bak
// (PATH.vN.2.bak and so on where that is there).
// ctx bounds the opening only.
//
// When a write fails with ErrDamaged, or because of an I/O error, all later ones do; after a full disk or ErrBusy they are
// tried anew. What was not stored is never reported as stored.
func Open(ctx context.Context, path string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	path, err := followLinks(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return nil, stateError(fmt.Errorf("open state file: %w", err))
	}
	lock, err := takeLock(ctx, path, opts)
	if err != nil {
		return nil, err
	}
	s := &Store{opts: opts, lock: lock}
	if err := s.open(ctx, path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Command == "" {
		o.Command = "docbatch"
	}
	if o.Lease == 0 {
		o.Lease = jobs.DefaultLease
	}
	if o.Held == nil {
		o.Held = func(time.Duration) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

func (s *Store) open(ctx context.Context, path string) error {
	// fdatasync makes a commit as durable in half the time. Where the platform has none, SQLite does what it does there.
	if _, err := driver.Fdatasync(true); err != nil && !errors.Is(err, driver.ErrFdatasyncUnavailable) {
		return err
	}
	if err := prepare(ctx, path, s.lock); err != nil {
		return err
	}
	s.host, _ = os.Hostname() // for people only
	var err error
	dsn := writerDSN(path)
	if s.opts.Scratch {
		dsn += "&_pragma=synchronous(OFF)"
	}
	if s.db, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	if s.writer, err = startWriter(ctx, s.db, path, s.lock.note, s.opts.Held); err != nil {
		return err
	}
	if s.Reader, err = openReader(ctx, path, readerDSN(path), schemaVersion); err != nil {
		return err
	}
	return s.writer.do(ctx, 0, freeDead)
}

// freeDead makes pending what dead owners hold.
func freeDead(tx *tx) error {
	if _, err := tx.exec(`UPDATE items SET state = 'pending', owner = NULL WHERE state = 'claimed'`); err != nil {
		return err
	}
	_, err := tx.exec(`UPDATE runs SET lease_until_at = NULL WHERE lease_until_at IS NOT NULL`)
	return err
}

// Close stores what is waiting to be stored, closes the file and lets go of the lock. No other method is called after it.
func (s *Store) Close() error {
	var errs []error
	if s.Reader != nil {
		errs = append(errs, s.Reader.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.stop())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(append(errs, s.lock.release())...)
}

// now is the store's time as it is stored.
func (s *Store) now() int64 { return s.opts.Now().UnixMilli() }

// millis is a time as it is stored; NULL for the zero time.
func millis(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

// timeOf is the time that was stored; the zero time for NULL.
func timeOf(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

// errorOf is the error that was stored in columns; nil where there was none.
func errorOf(class, kind, message sql.NullString, status sql.NullInt64) *pipeline.Error {
	if !class.Valid {
		return nil
	}
	return &pipeline.Error{
		Class:  pipeline.Class(class.String),
		Kind:   kind.String,
		Status: int(status.Int64),
		Err:    errors.New(message.String),
	}
}
