// Package output is where the bytes of a sink go: a file that is replaced in one step (File), or a stream such as standard
// output (Stream). It knows nothing of what the bytes mean.
//
// A File is written beside its target under a hidden name, see Temporary, and renamed when it is whole and on the disk.
package output

import (
	"bufio"
	"errors"
	"io"
)

// A Writer takes the bytes of one output. It is used by one goroutine.
type Writer interface {
	io.Writer

	// Commit makes what was written visible, as a whole. A second Commit does nothing.
	Commit() error

	// Discard drops what was written as far as it is not visible yet. After Commit it does nothing.
	Discard() error
}

const bufferBytes = 64 << 10

// errClosed is what Write and Commit say after the output's end.
var errClosed = errors.New("the output was already closed")

// A Stream is a Writer on something that can't be taken back: what left its buffer stays written after Discard.
type Stream struct {
	buf    *bufio.Writer
	closed error // what Commit says from now on, once ended
	ended  bool
}

var _ Writer = (*Stream)(nil)

// NewStream makes a Stream on w, which stays open.
func NewStream(w io.Writer) *Stream {
	return &Stream{buf: bufio.NewWriterSize(w, bufferBytes)}
}

// Write buffers p. It returns the error of an earlier write to the stream, too.
func (s *Stream) Write(p []byte) (int, error) {
	if s.ended {
		return 0, errClosed
	}
	return s.buf.Write(p)
}

// Commit sends what is buffered.
func (s *Stream) Commit() error {
	if !s.ended {
		s.ended, s.closed = true, s.buf.Flush()
	}
	return s.closed
}

// Discard drops what is still buffered.
func (s *Stream) Discard() error {
	if !s.ended {
		s.ended, s.closed = true, errClosed
	}
	return nil
}
