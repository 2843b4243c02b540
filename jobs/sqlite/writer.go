package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"time"

	codes "modernc.org/sqlite/lib"
)

// Bounds of one transaction, and of what waits for one. A transaction of all who wait makes a convoy: 256 workers wait for one
// commit, and then nobody writes while they all ask. In groups of half of them one half asks while the other is stored: a
// twelfth faster.
const (
	maxGroupOps   = 128
	maxGroupBytes = 8 << 20
	maxWaiting    = 1024
)

// errClosed is what a write to a closed store returns.
var errClosed = errors.New("the state file is closed")

// An op is one write. run may be called more than once, each time in a transaction of which nothing remained before: it
// must set its results anew each time.
type op struct {
	run   func(*tx) error
	bytes int
	taken atomic.Bool // by the writer, or by its waiter who gave up: whoever comes first
	err   error       // set before done is closed
	done  chan struct{}
}

// writer is the one goroutine that writes. It takes what is waiting into one transaction, commits it durably and wakes all
// that waited, and meanwhile the next group collects: a timer in its place only made it slower.
type writer struct {
	path     string
	tx       *tx
	note     func(mark) // is told how far the file got, after each commit
	files    openFiles
	held     func(time.Duration)
	patience time.Duration // how long another program may hold the file
	ops      chan *op
	quit     chan struct{} // closed by stop
	stopped  chan struct{} // closed when the goroutine has ended

	heldSince time.Time // when another program was first met that holds the file; zero while none does
	broken    error     // after an I/O error nobody knows what the file holds: nothing more is written
}

// patience is how long another program may hold the file until writes fail: sqlite3 with an open transaction, a backup. It is
// counted from the first write that waits, so that all that wait and those who come later fail together.
const patience = time.Minute

func startWriter(ctx context.Context, db *sql.DB, path string, note func(mark), held func(time.Duration)) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, writeError(path, err)
	}
	w := &writer{
		path:     path,
		tx:       &tx{name: filepath.Base(path), conn: conn, stmts: map[string]statement{}},
		note:     note,
		held:     held,
		patience: patience,
		ops:      make(chan *op, maxWaiting),
		quit:     make(chan struct{}),
		stopped:  make(chan struct{}),
	}
	if err := w.begin(ctx); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	go w.loop()
	return w, nil
}

// begin makes sure that there is a write-ahead log, and looks at the files that are written to.
func (w *writer) begin(ctx context.Context) error {
	var mode string
	err := w.tx.conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
	if err == nil && mode != "wal" {
		return stateError(fmt.Errorf("%s: no write-ahead log on this file system (journal mode %q)", w.tx.name, mode))
	}
	if err == nil {
		err = w.tx.conn.QueryRowContext(ctx, selectMark).Scan(new(mark).dest()...) // now the log is open
	}
	if err != nil {
		return writeError(w.path, err)
	}
	w.files, err = lookAtFiles(w.path)
	return err
}

// stop stores what is waiting, and ends the goroutine.
func (w *writer) stop() error {
	close(w.quit)
	<-w.stopped
	return w.tx.close()
}

// do has the writer run an op, and returns when its transaction is durable or has failed. bytes is about how much it
// writes. When ctx ends before the writer has taken the op, it is not run and ctx's error is returned; once it is taken,
// do waits for what becomes of it.
func (w *writer) do(ctx context.Context, bytes int, run func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	o := &op{run: run, bytes: bytes, done: make(chan struct{})}
	select {
	case w.ops <- o:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.quit:
		return errClosed
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return w.abandon(o, ctx.Err())
	case <-w.stopped:
		return w.abandon(o, errClosed)
	}
}

// abandon gives up an op with err, or waits for it where the writer was faster.
func (w *writer) abandon(o *op, err error) error {
	if o.taken.CompareAndSwap(false, true) {
		return err
	}
	<-o.done
	return o.err
}

func (w *writer) loop() {
	defer close(w.stopped)
	group := make([]*op, 0, maxGroupOps)
	for {
		select {
		case o := <-w.ops:
			group = w.collect(append(group[:0], o))
			w.write(group)
		case <-w.quit:
			for len(w.ops) > 0 {
				group = w.collect(group[:0])
				w.write(group)
			}
			return
		}
	}
}

// collect appends what is waiting, within the bounds of a transaction.
func (w *writer) collect(group []*op) []*op {
	bytes := 0
	for _, o := range group {
		bytes += o.bytes
	}
	for len(group) < maxGroupOps && bytes < maxGroupBytes {
		select {
		case o := <-w.ops:
			group = append(group, o)
			bytes += o.bytes
		default:
			return group
		}
	}
	return group
}

// write stores a group of ops and wakes their waiters. While another program holds the file they may still give up.
func (w *writer) write(group []*op) {
	err := w.lockFile()
	live := group[:0]
	for _, o := range group {
		if o.taken.CompareAndSwap(false, true) {
			live = append(live, o)
		}
	}
	w.store(live, err)
	for _, o := range live {
		close(o.done)
	}
}

// store sets the error of each op, in the transaction that lockFile began, or failed to. One op that fails takes no other with
// it: then each gets a transaction of its own.
func (w *writer) store(group []*op, err error) {
	if err == nil {
		err = w.commit(group)
		if err != nil && len(group) > 1 && !isStorage(err) {
			for _, o := range group {
				w.store([]*op{o}, w.lockFile())
			}
			return
		}
	}
	err = w.failure(err)
	for _, o := range group {
		o.err = err
	}
}

// failure is what a waiter is told of err.
func (w *writer) failure(err error) error {
	if err == nil || w.broken != nil {
		return err
	}
	failure := writeError(w.path, err)
	if code := codeOf(err); code == codes.SQLITE_IOERR || errors.Is(failure, ErrDamaged) || errors.Is(err, errMoved) {
		w.broken = failure
	}
	return failure
}

// isStorage reports whether err is one of the file or its disk: the same would happen to every op.
func isStorage(err error) bool {
	switch codeOf(err) {
	case codes.SQLITE_IOERR, codes.SQLITE_FULL, codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB, codes.SQLITE_READONLY, codes.SQLITE_CANTOPEN:
		return true
	}
	return errors.Is(err, ErrDamaged) || errors.Is(err, errMoved)
}

// lockFile begins a transaction. While another program holds the file it waits, until patience has run out.
func (w *writer) lockFile() error {
	if w.broken != nil {
		return w.broken
	}
	for {
		began := time.Now()
		_, err := w.tx.exec("BEGIN IMMEDIATE") // waits for a second
		if code := codeOf(err); code != codes.SQLITE_BUSY && code != codes.SQLITE_PROTOCOL {
			w.heldSince = time.Time{}
			return err
		}
		if w.heldSince.IsZero() {
			w.heldSince = began
		}
		waited := time.Since(w.heldSince)
		if waited >= w.patience {
			return fmt.Errorf("after %v: %w", waited.Round(time.Second), err)
		}
		w.held(waited)
	}
}

// commit runs a group in the transaction that was begun, and makes it durable. When it returns an error, nobody may rely on
// any of it.
func (w *writer) commit(group []*op) error {
	var got mark
	err := w.runAll(group)
	if err == nil {
		_, err = w.tx.get(selectMark, nil, got.dest()...)
	}
	if err == nil {
		_, err = w.tx.exec("COMMIT")
	}
	if err != nil {
		w.rollBack()
		return err
	}
	if err := w.files.check(); err != nil {
		return err
	}
	w.note(got)
	return nil
}

// rollBack leaves nothing of a transaction. After some errors SQLite has done it by itself, and says that there is none.
func (w *writer) rollBack() {
	if _, err := w.tx.exec("ROLLBACK"); err != nil && codeOf(err) != codes.SQLITE_ERROR {
		w.broken = writeError(w.path, err)
	}
}

func (w *writer) runAll(group []*op) error {
	w.tx.shown = false
	for _, o := range group {
		if err := o.run(w.tx); err != nil {
			return err
		}
	}
	if !w.tx.shown {
		return nil
	}
	_, err := w.tx.exec(`DELETE FROM outputs`)
	return err
}

// tx is the writer's connection while a transaction is open. Statements are prepared once.
type tx struct {
	name  string // of the file
	conn  *sql.Conn
	stmts map[string]statement
	shown bool // something was changed that outputs show
}

// A statement is a prepared one.
type statement struct {
	*sql.Stmt
	shown bool // it changes what outputs show
}

// changesShown finds statements that change a table that outputs are made of. One that changes nothing there that is seen, such as a
// claim, may be among them.
var changesShown = regexp.MustCompile(`^\s*(INSERT|UPDATE|DELETE)\b[^(=]*\b(items|records|documents)\b`)

func (t *tx) close() error {
	var errs []error
	for _, stmt := range t.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, t.conn.Close())...)
}

func (t *tx) prepare(query string) (statement, error) {
	if stmt, ok := t.stmts[query]; ok {
		return stmt, nil
	}
	stmt, err := t.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return statement{}, err
	}
	t.stmts[query] = statement{stmt, changesShown.MatchString(query)}
	return t.stmts[query], nil
}

// exec runs a statement.
func (t *tx) exec(query string, args ...any) (sql.Result, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	res, err := stmt.Exec(args...)
	if err == nil && stmt.shown && !t.shown {
		n, err := res.RowsAffected()
		t.shown = n > 0 || err != nil
	}
	return res, err
}

// get scans the first row of a query into dest and reports whether there is one.
func (t *tx) get(query string, args []any, dest ...any) (bool, error) {
	stmt, err := t.prepare(query)
	if err != nil {
		return false, err
	}
	err = stmt.QueryRow(args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, t.understood(err)
}

// understood is err of a scan. What SQLite gives and can't be understood is damage.
func (t *tx) understood(err error) error {
	if err == nil || codeOf(err) != -1 {
		return err
	}
	return damaged(t.name, err)
}

// each calls scan for every row of a query until it returns false.
func (t *tx) each(query string, args []any, scan func(rows *sql.Rows) (bool, error)) error {
	stmt, err := t.prepare(query)
	if err != nil {
		return err
	}
	rows, err := stmt.Query(args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if more, err := scan(rows); err != nil || !more {
			return t.understood(err)
		}
	}
	return rows.Err()
}

// numbers gives the first column of a query, all of it.
func (t *tx) numbers(query string, args ...any) ([]int64, error) {
	var nums []int64
	err := t.each(query, args, func(rows *sql.Rows) (bool, error) {
		var num int64
		err := rows.Scan(&num)
		nums = append(nums, num)
		return true, err
	})
	return nums, err
}
