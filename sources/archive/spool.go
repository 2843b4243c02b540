package archive

import (
	"errors"
	"io"
	"os"

	"docbatch/pipeline"
)

// A spool is the members of an archive in a temporary file, one after the other.
type spool struct {
	file  *os.File // nil before the first byte
	named bool     // a file that is open can't be removed here
	size  int64
}

// Write adds to the last member. Its errors are of class Fatal.
func (s *spool) Write(p []byte) (int, error) {
	if s.file == nil {
		file, err := os.CreateTemp("", "docbatch-")
		if err != nil {
			return 0, spoolError(err)
		}
		s.file, s.named = file, os.Remove(file.Name()) != nil
	}
	n, err := s.file.Write(p)
	s.size += int64(n)
	if err != nil {
		err = spoolError(err)
	}
	return n, err
}

func spoolError(err error) error {
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindMachine, "unpack an archive into a temporary file: %w", err)
}

// ReadAt reads what was written.
func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	if s.file == nil {
		return 0, io.EOF
	}
	return s.file.ReadAt(p, off)
}

func (s *spool) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.file.Name()))
	}
	return err
}
