package numfmt

import (
	"strings"

	"github.com/xuri/excelize/v2"
)

const (
	maxExoticCodes = 256   // formats that a workbook may have of them
	maxExoticTexts = 10000 // numbers remembered, since excelize takes up to 160 us for one
)

// A stranger writes numbers in the formats that this package does not know itself: fractions, exponents, text among digits, dates
// in other languages than English. It lets excelize do it, in a workbook of one cell.
type stranger struct {
	date1904 bool
	book     *excelize.File
	styles   map[string]int
	texts    map[numberAs]string
	max      int // numbers that it is asked for; 0: any number
	asked    int
}

// A numberAs is a number and its format.
type numberAs struct{ code, raw string }

func newStranger(date1904 bool, max int) *stranger {
	return &stranger{date1904: date1904, max: max, styles: make(map[string]int), texts: make(map[numberAs]string)}
}

// text is the number as the format shows it, or as it is stored where excelize can't tell.
func (e *stranger) text(code string, raw []byte) string {
	key := numberAs{code, string(raw)}
	if text, ok := e.texts[key]; ok {
		return text
	}
	if e.max > 0 && e.asked == e.max {
		return key.raw
	}
	e.asked++
	if len(e.texts) == maxExoticTexts {
		clear(e.texts)
	}
	text := e.ask(key)
	e.texts[key] = text
	return text
}

// ask lets excelize write a number. Its panics, of which formats made up by strangers cause some, count as not knowing.
func (e *stranger) ask(key numberAs) (text string) {
	defer func() {
		if recover() != nil {
			text, e.book = key.raw, nil
		}
	}()
	const sheet, cell = "Sheet1", "A1"
	if err := e.open(); err != nil {
		return key.raw
	}
	style, ok := e.style(key.code)
	if !ok || e.book.SetCellStyle(sheet, cell, cell, style) != nil || e.book.SetCellDefault(sheet, cell, key.raw) != nil {
		return key.raw
	}
	text, err := e.book.GetCellValue(sheet, cell)
	if err != nil {
		return key.raw
	}
	return strings.TrimSpace(text)
}

func (e *stranger) open() error {
	if e.book != nil {
		return nil
	}
	e.book = excelize.NewFile()
	clear(e.styles)
	return e.book.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &e.date1904})
}

func (e *stranger) style(code string) (int, bool) {
	style, ok := e.styles[code]
	if !ok && len(e.styles) < maxExoticCodes {
		var err error
		if style, err = e.book.NewStyle(&excelize.Style{CustomNumFmt: &code}); err != nil {
			return 0, false
		}
		e.styles[code], ok = style, true
	}
	return style, ok
}
