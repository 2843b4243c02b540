// Package workbook reads workbooks (XLSX, XLSM and their templates: ECMA-376 part 1, SpreadsheetML) as documents: sheet after sheet as
// Markdown tables, as a person sees them. Package sources/xlsx reads the rows of a sheet as documents of their own.
//
// Sheets and rows are read as a stream by this package and not by excelize, which holds a row of 16,384 references to one long string as
// 617 MB and takes broken XML for the end of the sheet; of excelize there is what opens encrypted files (Decrypt) and rare number
// formats (package numfmt).
package workbook

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
	"docbatch/pipeline/extract/workbook/numfmt"
)

// maxSlowNumbers bounds the numbers that excelize formats, at up to 160 us each.
const maxSlowNumbers = 10_000

// maxStyles bounds the styles that are kept; Excel allows 65,490.
const maxStyles = 1 << 16

// A book is what is read of a workbook by all its sheets.
type book struct {
	file     *content.File
	archive  *pack.Archive
	content  *content.Content
	out      *content.Writer
	sheets   []sheet
	date1904 bool
	damaged  bool
	strings  stringTable
	formats  *numfmt.Formats
	people   map[string]string // of threaded comments, by id
	seen     map[string]bool   // the parts of sheets and drawings that were read, and the texts of headers and footers
	within   *pack.Embedded
}

// A sheet is an entry in the workbook's list of sheets.
type sheet struct {
	name   string
	part   string // "" where the list is at fault
	hidden bool
}

// Read is the content.Reader of workbooks. Each sheet that holds something has a heading with its name, marked "(hidden)" where Excel does
// not show it. Cells are as Excel (English) shows them, dates that follow the reader's country as 2006-01-02; a formula without a stored
// result is written as the formula. Merged cells come once. Comments are in their cells: "12 [comment by Ann: too low]". The text of
// shapes, diagrams and the titles of charts follow the cells of their sheet, and so do the headers and footers of the printed page, each
// text once, and the documents within it. Hidden rows and columns are read.
func Read(ctx context.Context, f *content.File) (*content.Content, error) {
	archive, err := pack.Open(f.Data, f.Bounds)
	if err != nil {
		return nil, err
	}
	b := &book{file: f, archive: archive, content: &content.Content{}, out: content.NewWriter(f.Bounds.Text), seen: map[string]bool{}}
	b.within = pack.NewEmbedded(archive, f, b.content)
	if damage := archive.Damage(); damage != "" {
		b.content.Warn(damage)
	}
	if err := b.open(); err != nil {
		return nil, err
	}
	for _, s := range b.sheets {
		if err := b.readSheet(ctx, s); err != nil {
			return nil, err
		}
	}
	if b.damaged && b.out.Len() == 0 {
		return nil, content.Damaged("it is damaged, and there is no text in what is left of it")
	}
	b.within.Warn()
	b.content.SetMeta(content.MetaPages, strconv.Itoa(len(b.sheets)))
	b.content.Text = b.out.String()
	return b.content, b.out.Err()
}

// open reads what comes before the sheets.
func (b *book) open() error {
	root := b.relations("")
	part := root.first("officeDocument", "xl/workbook.xml")
	if strings.HasSuffix(part, ".bin") {
		return content.Unsupported("it is a workbook of the binary format XLSB: save it as XLSX")
	}
	rels := b.relations(part)
	if err := b.check(part, b.readList(part, rels)); err != nil {
		return err
	}
	if err := b.findSheets(); err != nil {
		return err
	}
	styles := rels.first("styles", "xl/styles.xml")
	codes, err := b.readStyles(styles)
	if err := b.check(styles, err); err != nil {
		return err
	}
	b.formats = numfmt.New(codes, b.date1904, maxSlowNumbers)
	shared := rels.first("sharedStrings", "xl/sharedStrings.xml")
	if err := b.check(shared, b.readStrings(shared)); err != nil {
		return err
	}
	if people := rels.first("person", ""); people != "" {
		if err := b.check(people, b.readPeople(people)); err != nil {
			return err
		}
	}
	properties := root.first("core-properties", "docProps/core.xml")
	return b.check(properties, b.readProperties(properties))
}

// check makes a warning of the error of a part that is damaged, of which the rest can do without. That a part is not there is no error:
// few are needed.
func (b *book) check(part string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, pack.ErrDamaged):
		b.damaged = true
		b.content.Warn(fmt.Sprintf("part %s is damaged and was read as far as it goes", strings.ToValidUTF8(part, "�")))
		return nil
	}
	return err
}

// readList reads the workbook part itself.
func (b *book) readList(part string, rels relations) error {
	return b.archive.Walk(part, func(_ *pack.Decoder, n *pack.Node) (bool, error) {
		switch n.Name {
		case "x:workbookPr":
			b.date1904 = isTrue(n.Attr("date1904"))
		case "x:sheet":
			if len(b.sheets) >= b.file.Bounds.Pages {
				return false, b.tooManySheets()
			}
			state := n.Attr("state")
			b.sheets = append(b.sheets, sheet{
				name:   n.Attr("name"),
				part:   rels.targets[n.Attr("r:id")],
				hidden: state == "hidden" || state == "veryHidden",
			})
		}
		return false, nil
	})
}

func (b *book) tooManySheets() error {
	return content.TooLarge("it holds more than %d sheets (the bound on pages)", b.file.Bounds.Pages)
}

// findSheets makes up for a list of sheets that is damaged or gone by the parts that there are.
func (b *book) findSheets() error {
	if slices.ContainsFunc(b.sheets, func(s sheet) bool { return s.part != "" }) {
		return nil
	}
	b.sheets = nil
	for _, name := range b.archive.Names() {
		if strings.HasPrefix(strings.ToLower(name), "xl/worksheets/") && path.Ext(name) == ".xml" {
			title := strings.TrimSuffix(path.Base(name), ".xml")
			b.sheets = append(b.sheets, sheet{name: strings.ToValidUTF8(title, "�"), part: name})
		}
	}
	if len(b.sheets) == 0 {
		return content.Damaged("there is no sheet in the workbook")
	}
	if len(b.sheets) > b.file.Bounds.Pages {
		return b.tooManySheets()
	}
	slices.SortStableFunc(b.sheets, func(x, y sheet) int { return len(x.part) - len(y.part) }) // sheet2 before sheet10
	b.content.Warn("the list of sheets is damaged: their names are lost")
	return nil
}

// readStyles gives the number format of each style.
func (b *book) readStyles(part string) ([]string, error) {
	own := map[string]string{}
	var codes []string
	err := b.archive.Walk(part, func(d *pack.Decoder, n *pack.Node) (bool, error) {
		switch n.Name {
		case "x:numFmt":
			if code := n.Attr("formatCode"); len(code) <= numfmt.MaxCodeBytes && len(own) < maxStyles {
				own[n.Attr("numFmtId")] = code
			}
		case "x:cellXfs":
			return true, d.Children(func(n *pack.Node) error {
				if n.Name == "x:xf" && len(codes) < maxStyles {
					codes = append(codes, formatCode(own, n.Attr("numFmtId")))
				}
				return nil
			})
		}
		return false, nil
	})
	return codes, err
}

func formatCode(own map[string]string, id string) string {
	if code, ok := own[id]; ok {
		return code
	}
	return numfmt.Builtin(number(id, 0))
}

// readProperties notes what the workbook says of itself (ECMA-376 part 2, 11).
func (b *book) readProperties(part string) error {
	keys := map[string]string{
		"dc:title": content.MetaTitle, "dc:creator": content.MetaAuthor, "dc:subject": content.MetaSubject, "cp:keywords": content.MetaKeywords,
		"dc:language": content.MetaLanguage, "dcterms:created": content.MetaCreated, "dcterms:modified": content.MetaModified,
	}
	return b.archive.Walk(part, func(d *pack.Decoder, n *pack.Node) (bool, error) {
		key, ok := keys[n.Name]
		if !ok {
			return false, nil
		}
		text, err := d.Text()
		_, bad := time.Parse(time.RFC3339, text)
		if bad == nil || !strings.HasPrefix(n.Name, "dcterms:") {
			b.content.SetMeta(key, text)
		}
		return true, err
	})
}

func isTrue(s string) bool { return s == "1" || strings.EqualFold(s, "true") }
