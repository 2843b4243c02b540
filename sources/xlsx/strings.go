package xlsx

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
)

const (
	maxStrings      = 16 << 20 // shared strings of a workbook, for 64 MB of memory
	stringsInMemory = 8 << 20  // bytes of text held in memory; more go to a temporary file
	stringsPerBase  = 1024
)

var errNoString = errors.New("there is no shared string")

// sharedStrings are the texts that cells name by number. Their text is in memory or, where there is much of it, in a temporary
// file, which has no name while it is used where the system allows that: nothing can clean it away, nothing stays after a crash.
type sharedStrings struct {
	memory []byte
	file   *os.File
	name   string // to be removed at the end; "" where that is done

	size  int64    // bytes of text
	bases []int64  // where each 1,024th string begins
	ends  []uint32 // where each ends, from its base
}

// readStrings reads the table of strings.
func readStrings(ctx context.Context, in io.Reader) (*sharedStrings, error) {
	s := &sharedStrings{}
	if err := s.read(ctx, in); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *sharedStrings) read(ctx context.Context, in io.Reader) error {
	w := &spill{to: s}
	m := newMarkup(in)
	var text []byte
	for {
		token, err := m.next()
		if err == io.EOF {
			return w.flush()
		}
		if err != nil {
			return err
		}
		if e, ok := token.(xml.StartElement); !ok || e.Name.Local != "si" {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if text, err = richText(m, text[:0]); err != nil {
			return err
		}
		if err := s.add(w, text); err != nil {
			return err
		}
	}
}

// richText appends the text of the element that has just begun, a string in one or several runs, without the reading aids
// of Japanese.
func richText(m *markup, dst []byte) ([]byte, error) {
	start := len(dst)
	for inside := m.depth; m.depth >= inside; {
		token, err := m.next()
		if err != nil {
			return dst, err
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "t":
			dst, err = m.text(dst)
		case "rPh":
			err = m.skip()
		}
		if err != nil {
			return dst, err
		}
	}
	return unescape(dst, start), nil
}

// unescape replaces _x000D_ and the like, by which a text has characters that XML can't have, in dst[start:].
func unescape(dst []byte, start int) []byte {
	if !bytes.Contains(dst[start:], []byte("_x")) {
		return dst
	}
	out := dst[:start]
	for i := start; i < len(dst); {
		if r, ok := escaped(dst[i:]); ok {
			i += len("_x000D_")
			if r != 0 {
				out = append(out, string(r)...)
			}
			continue
		}
		out = append(out, dst[i])
		i++
	}
	return out
}

// escaped is the character that an escape at the front of b stands for.
func escaped(b []byte) (rune, bool) {
	if len(b) < len("_x000D_") || b[0] != '_' || b[1] != 'x' || b[6] != '_' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return rune(n), err == nil && (n < 0xd800 || n > 0xdfff)
}

func (s *sharedStrings) add(w *spill, text []byte) error {
	if len(s.ends) == maxStrings {
		return fmt.Errorf("over the bound of %d shared strings", maxStrings)
	}
	if len(s.ends)%stringsPerBase == 0 {
		s.bases = append(s.bases, s.size)
	}
	if err := w.write(text); err != nil {
		return err
	}
	s.size += int64(len(text))
	s.ends = append(s.ends, uint32(s.size-s.bases[len(s.bases)-1]))
	return nil
}

// append appends the string of a number.
func (s *sharedStrings) append(dst []byte, number string) ([]byte, error) {
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(s.ends) {
		return dst, fmt.Errorf("%w %q", errNoString, number)
	}
	base := s.bases[i/stringsPerBase]
	start := base
	if i%stringsPerBase > 0 {
		start += int64(s.ends[i-1])
	}
	end := base + int64(s.ends[i])
	if s.file == nil {
		return append(dst, s.memory[start:end]...), nil
	}
	at := len(dst)
	dst = append(dst, make([]byte, end-start)...)
	if _, err := s.file.ReadAt(dst[at:], start); err != nil {
		return dst[:at], fmt.Errorf("read the temporary file of shared strings: %w", err)
	}
	return dst, nil
}

func (s *sharedStrings) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if s.name != "" {
		err = errors.Join(err, os.Remove(s.name))
	}
	s.file, s.name = nil, ""
	return err
}

// A spill writes the text of a table of strings, to memory first.
type spill struct {
	to  *sharedStrings
	out *bufio.Writer
}

func (w *spill) write(text []byte) error {
	if w.out == nil && len(w.to.memory)+len(text) <= stringsInMemory {
		w.to.memory = append(w.to.memory, text...)
		return nil
	}
	if w.out == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	_, err := w.out.Write(text)
	return err
}

// begin moves what is in memory to the temporary file.
func (w *spill) begin() error {
	f, err := os.CreateTemp("", "docbatch-*.strings")
	if err != nil {
		return err
	}
	w.to.file, w.to.name = f, f.Name()
	if os.Remove(f.Name()) == nil {
		w.to.name = ""
	}
	w.out = bufio.NewWriterSize(f, 1<<20)
	_, err = w.out.Write(w.to.memory)
	w.to.memory = nil
	return err
}

func (w *spill) flush() error {
	if w.out == nil {
		return nil
	}
	return w.out.Flush()
}
