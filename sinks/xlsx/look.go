package xlsx

import (
	"strings"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"docbatch/sinks/table"
)

// Widths are in characters, heights in points, as in Excel.
const (
	answerWidth = 80
	minWidth    = 9
	maxWidth    = 45
	filterWidth = 3 // room for the button in the header
	lineHeight  = 15
	maxLines    = 20 // of an answer that are shown; the cell has them all
)

// A look is how the sheets of a workbook look.
type look struct {
	header []string
	widths []float64
	answer int // index of that column

	bold, top, wrap int // styles: of the header, of cells, of answers
}

func newLook(book *excelize.File, header []string) (look, error) {
	l := look{header: header, answer: answerColumn(header)}
	for _, s := range []struct {
		id    *int
		style excelize.Style
	}{
		{&l.bold, excelize.Style{
			Font:      &excelize.Font{Bold: true},
			Fill:      excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"E7E6E6"}},
			Alignment: &excelize.Alignment{Vertical: "top"},
		}},
		{&l.top, excelize.Style{Alignment: &excelize.Alignment{Vertical: "top"}}},
		{&l.wrap, excelize.Style{Alignment: &excelize.Alignment{Vertical: "top", WrapText: true}}},
	} {
		id, err := book.NewStyle(&s.style)
		if err != nil {
			return look{}, err
		}
		*s.id = id
	}
	return l, nil
}

// answerColumn finds our own column: no original one is called like it.
func answerColumn(header []string) int {
	for i, name := range header {
		if name == table.Answer {
			return i
		}
	}
	return -1
}

// measure sets the widths by the header and by rows.
func (l *look) measure(rows [][]string) {
	l.widths = make([]float64, len(l.header))
	for i, name := range l.header {
		width := longestLine(name) + filterWidth
		for _, cells := range rows {
			width = max(width, longestLine(cells[i])+1)
		}
		l.widths[i] = float64(min(max(width, minWidth), maxWidth))
	}
	l.widths[l.answer] = answerWidth
}

func longestLine(text string) int {
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n = max(n, utf8.RuneCountInString(line))
	}
	return n
}

// dress sets what must be set before a sheet's first row.
func (l *look) dress(sheet *excelize.StreamWriter) error {
	for i, width := range l.widths {
		if err := sheet.SetColWidth(i+1, i+1, width); err != nil {
			return err
		}
	}
	return sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
}

func (l *look) headerRow() []any {
	values := make([]any, len(l.header))
	for i, name := range l.header {
		values[i] = excelize.Cell{StyleID: l.bold, Value: fit(name)}
	}
	return values
}

// appendRow appends the values of a row's cells; nil is an empty one.
func (l *look) appendRow(values []any, cells []string) []any {
	for i, text := range cells {
		switch {
		case text == "":
			values = append(values, nil)
		case i == l.answer:
			values = append(values, excelize.Cell{StyleID: l.wrap, Value: text})
		default:
			values = append(values, text)
		}
	}
	return values
}

// rowOpts leaves the height to Excel, which fits it to the wrapped answer, unless the answer is so long that a row would
// fill the window.
func (l *look) rowOpts(cells []string) excelize.RowOpts {
	opts := excelize.RowOpts{StyleID: l.top}
	if lines(cells[l.answer]) > maxLines {
		opts.Height = maxLines * lineHeight
	}
	return opts
}

// lines estimates how many lines an answer takes in its cell.
func lines(answer string) int {
	n := 0
	for line := range strings.SplitSeq(answer, "\n") {
		n += 1 + utf8.RuneCountInString(line)/answerWidth
		if n > maxLines {
			break
		}
	}
	return n
}

// Bounds of a sample: enough to see how wide columns are, and small in memory whatever the documents are.
const (
	sampleRows  = 50
	sampleBytes = 1 << 20
)

// A sample holds the first rows.
type sample struct {
	rows  [][]string
	bytes int
}

// add keeps a copy of cells and reports whether there is room for more.
func (s *sample) add(cells []string) bool {
	s.rows = append(s.rows, append([]string(nil), cells...))
	for _, text := range cells {
		s.bytes += len(text)
	}
	return len(s.rows) < sampleRows && s.bytes < sampleBytes
}
