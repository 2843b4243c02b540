package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/gofrs/flock"
)

// ErrLocked is in the error of Open while another process holds the state file. The error names it.
var ErrLocked = errors.New("is held")

// lockRetry is how long to wait between two tries for the lock.
const lockRetry = 50 * time.Millisecond

// lock is the lock beside a state file. It holds as long as the process lives. The lock file says who holds it, for people, and
// how far the state file got. It is never deleted by docbatch, because another process may just have opened it.
type lock struct {
	flock *flock.Flock
	file  *os.File // the same, for what is written in it; nil until the lock is taken
	noted mark     // what it says of the state file
}

// holder is what the lock file says of the process that holds it.
type holder struct {
	Command string    `json:"command"`
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	Since   time.Time `json:"since"`
}

// takeLock takes the lock of the state file at path, waiting for it as long as opts say.
func takeLock(ctx context.Context, path string, opts Options) (*lock, error) {
	l := &lock{flock: flock.New(path + ".lock")}
	ok, err := l.try(ctx, opts.WaitLock)
	if err == nil && !ok {
		return nil, fmt.Errorf("%s %w by %s", filepath.Base(path), ErrLocked, describeHolder(path+".lock", opts.Now()))
	}
	if err == nil {
		err = l.open(opts)
	}
	if err == nil {
		return l, nil
	}
	err = errors.Join(fmt.Errorf("lock %s: %w", filepath.Base(path), err), l.release())
	if ctx.Err() != nil {
		return nil, err
	}
	return nil, stateError(err)
}

func (l *lock) try(ctx context.Context, wait time.Duration) (bool, error) {
	// Who only looks whether somebody holds it (Holder) does so himself, for a moment.
	waiting, cancel := context.WithTimeout(ctx, max(wait, 2*lockRetry))
	defer cancel()
	ok, err := l.flock.TryLockContext(waiting, lockRetry)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return false, nil
	}
	return ok, err
}

// Where things stand in the lock file: the holder, and the mark. On Windows the byte before them is what is locked, and nobody
// else can read or write that one. The mark lies within one sector, so that it is written as a whole or not at all.
const (
	infoAt    = 1
	markAt    = 1024
	markBytes = 128
)

// open says in the lock file who holds it, and reads how far the state file got.
func (l *lock) open(opts Options) error {
	host, _ := os.Hostname() // for people only
	info, err := json.Marshal(holder{Command: opts.Command, PID: os.Getpid(), Host: host, Since: opts.Now()})
	if err != nil {
		return err
	}
	if l.file, err = os.OpenFile(l.flock.Path(), os.O_RDWR, 0); err != nil {
		return err
	}
	l.noted = readMark(l.file)
	_, err = l.file.WriteAt(padded(info, markAt-infoAt), infoAt)
	return err
}

// padded is a line of n bytes.
func padded(text []byte, n int) []byte {
	line := bytes.Repeat([]byte{' '}, n)
	copy(line, text)
	line[n-1] = '\n'
	return line
}

// readMark reads the mark that a lock file notes; none where there is none.
func readMark(f *os.File) mark {
	buf := make([]byte, markBytes)
	n, _ := f.ReadAt(buf, markAt) // what can't be read can't be parsed
	return parseMark(buf[:n])
}

// notedBeside is the mark that is noted beside the state file at path.
func notedBeside(path string) mark {
	f, err := os.Open(path + ".lock")
	if err != nil {
		return mark{}
	}
	defer f.Close()
	return readMark(f)
}

// note notes how far the state file got, after that is durable. It is not made durable itself: an older note is as true.
func (l *lock) note(m mark) {
	if m == l.noted {
		return
	}
	if err := l.put(m); err == nil { // without the note only less is noticed
		l.noted = m
	}
}

// forget notes that the state file begins anew, before it does.
func (l *lock) forget() error {
	if l.noted == (mark{}) {
		return nil
	}
	l.noted = mark{}
	if err := errors.Join(l.put(mark{}), l.file.Sync()); err != nil {
		return stateError(fmt.Errorf("write %s: %w", filepath.Base(l.flock.Path()), bareCause(err)))
	}
	return nil
}

func (l *lock) put(m mark) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = l.file.WriteAt(padded(text, markBytes), markAt)
	return err
}

// release lets go of the lock. What the file says of the holder stays there: it is only read while someone holds the lock.
func (l *lock) release() error {
	var err error
	if l.file != nil {
		err = l.file.Close()
	}
	return errors.Join(err, l.flock.Unlock())
}

// describeHolder says who holds the lock, as far as the lock file tells: the holder may be about to write it.
func describeHolder(path string, now time.Time) string {
	f, err := os.Open(path)
	if err != nil {
		return "another process"
	}
	defer f.Close()
	buf := make([]byte, markAt-infoAt)
	n, _ := f.ReadAt(buf, infoAt) // what can't be read can't be parsed
	h, err := parseHolder(buf[:n])
	if err != nil {
		return "another process"
	}
	return h.describe(now)
}

func parseHolder(info []byte) (holder, error) {
	var h holder
	if err := json.Unmarshal(info, &h); err != nil {
		return h, err
	}
	if h.Command == "" || h.PID <= 0 || h.Since.IsZero() {
		return h, errors.New("holder without command, pid or start")
	}
	h.Command, h.Host = printable(h.Command), printable(h.Host)
	return h, nil
}

// describe says who it is, with the day where that is not today's and the host where it is not this one.
func (h holder) describe(now time.Time) string {
	layout := time.TimeOnly
	since := h.Since.In(now.Location())
	if since.Format(time.DateOnly) != now.Format(time.DateOnly) {
		layout = time.DateTime
	}
	who := fmt.Sprintf("%s, pid %d", h.Command, h.PID)
	if host, err := os.Hostname(); err == nil && h.Host != "" && h.Host != host {
		who += " on " + h.Host
	}
	return who + ", since " + since.Format(layout)
}

// printable drops what could do more to a terminal than be read.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}
