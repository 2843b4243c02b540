package csv

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// sampleBytes is how much of a file its delimiter and its line ends are found by.
const sampleBytes = 64 << 10

// candidates are the delimiters that are looked for. Of those that explain a file equally well the first is taken: a comma last,
// since it is also in numbers and in prose.
var candidates = []rune{'\t', ';', '|', ','}

// A layout is how a file is written.
type layout struct {
	delimiter []byte // nil: one column, in which a delimiter would be a letter
	eol       byte
	sepLine   bool // the first line is Excel's "sep=;"
}

// detect finds the layout of a file from the sample at its front; whole says that there is no more. A delimiter that is not 0 holds
// whatever the file says.
func detect(path string, sample []byte, whole bool, delimiter rune) layout {
	l := layout{eol: '\n'}
	if bytes.IndexByte(sample, '\n') < 0 && bytes.IndexByte(sample, '\r') >= 0 {
		l.eol = '\r'
	}
	said, size := sepLine(sample, l.eol)
	if size > 0 {
		l.sepLine = true
		sample = sample[size:]
	}
	switch {
	case delimiter != 0:
		l.delimiter = utf8.AppendRune(nil, delimiter)
	case said != 0:
		l.delimiter = utf8.AppendRune(nil, said)
	default:
		l.delimiter = bestDelimiter(path, sample, whole, l.eol)
	}
	return l
}

// sepLine reads the line by which Excel is told the delimiter, and its size with the line end; 0 where there is none.
func sepLine(sample []byte, eol byte) (delimiter rune, size int) {
	end := lineEnd(sample, 0, eol)
	line := strings.Trim(strings.TrimRight(string(sample[:min(end, 16)]), "\r"), `"`)
	if len(line) < len("sep=;") || !strings.EqualFold(line[:4], "sep=") {
		return 0, 0
	}
	r, n := utf8.DecodeRuneInString(line[4:])
	if n != len(line)-4 || !validDelimiter(r) {
		return 0, 0
	}
	return r, min(end+1, len(sample))
}

// validDelimiter reports whether values can be told apart by r at all.
func validDelimiter(r rune) bool {
	return r != '"' && r != '\r' && r != '\n' && r != 0 && r != utf8.RuneError && utf8.ValidRune(r)
}

// bestDelimiter is the candidate by which most records have as many columns as the header, or nil where the header has one
// column by each of them.
func bestDelimiter(path string, sample []byte, whole bool, eol byte) []byte {
	tabbed := strings.EqualFold(filepath.Ext(path), ".tsv") || strings.EqualFold(filepath.Ext(path), ".tab")
	var best []byte
	bestFit := fit{share: -1}
	for _, c := range candidates {
		delimiter := utf8.AppendRune(nil, c)
		f := measure(sample, whole, delimiter, eol)
		if f.columns < 2 || f.single > f.share {
			continue
		}
		if tabbed && c == '\t' {
			return delimiter
		}
		if f.share > bestFit.share || f.share == bestFit.share && f.share == 0 && f.columns > bestFit.columns {
			best, bestFit = delimiter, f
		}
	}
	return best
}

// cut is the rest of a stream that goes on.
type cut struct{}

func (cut) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A fit is how well a delimiter explains a sample.
type fit struct {
	columns int     // of the header
	share   float64 // of the records after it with as many columns
	single  float64 // of the records after it with one column
}

// measure reads the sample with a delimiter. Where it is not the whole file its last record is left out: it is cut.
func measure(sample []byte, whole bool, delimiter []byte, eol byte) fit {
	var in io.Reader = bytes.NewReader(sample)
	if !whole {
		in = io.MultiReader(in, cut{})
	}
	r := newReader(in, delimiter, eol)
	var counts []int
	for {
		rec, err := r.next()
		if err != nil {
			return newFit(counts)
		}
		switch {
		case rec.fault == "":
			counts = append(counts, rec.columns)
		case len(counts) == 0:
			counts = append(counts, rec.columns+1) // a broken header is to be seen as that
		default:
			counts = append(counts, 0)
		}
	}
}

func newFit(counts []int) fit {
	if len(counts) == 0 {
		return fit{}
	}
	f := fit{columns: counts[0]}
	rows := counts[1:]
	if len(rows) == 0 {
		return f
	}
	same, single := 0, 0
	for _, n := range rows {
		if n == f.columns {
			same++
		}
		if n == 1 {
			single++
		}
	}
	f.share = float64(same) / float64(len(rows))
	f.single = float64(single) / float64(len(rows))
	return f
}
