package sqlite

import (
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

// lock is the lock beside a state file. It holds as long as the process lives: the file itself means nothing, and is never
// deleted, because another process may just have opened it.
type lock struct {
	flock *flock.Flock
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
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", filepath.Base(path), err)
	}
	if !ok {
		return nil, fmt.Errorf("%s %w by %s", filepath.Base(path), ErrLocked, describeHolder(path+".lock", opts.Now()))
	}
	if err := l.write(path+".lock", opts); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", filepath.Base(path), err), l.release())
	}
	return l, nil
}

func (l *lock) try(ctx context.Context, wait time.Duration) (bool, error) {
	if wait <= 0 {
		return l.flock.TryLock()
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	ok, err := l.flock.TryLockContext(waiting, lockRetry)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return false, nil
	}
	return ok, err
}

// infoAt is where the holder stands in the lock file. On Windows the byte before it is what is locked, and nobody else can
// read or write that one.
const infoAt = 1

// write says in the lock file who holds it.
func (l *lock) write(path string, opts Options) error {
	host, _ := os.Hostname() // for people only
	info, err := json.Marshal(holder{Command: opts.Command, PID: os.Getpid(), Host: host, Since: opts.Now()})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(infoAt); err != nil {
		return err
	}
	_, err = f.WriteAt(append(info, '\n'), infoAt)
	return err
}

// release lets go of the lock. What the file says of the holder stays there: it is only read while someone holds the lock.
func (l *lock) release() error { return l.flock.Unlock() }

// describeHolder says who holds the lock, as far as the lock file tells: the holder may be about to write it.
func describeHolder(path string, now time.Time) string {
	f, err := os.Open(path)
	if err != nil {
		return "another process"
	}
	defer f.Close()
	buf := make([]byte, 4096)
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
