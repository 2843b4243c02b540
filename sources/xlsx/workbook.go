package xlsx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/workbook/numfmt"
	"docbatch/pipeline/guess"
	"docbatch/sources/pathname"
)

const (
	maxSheets = 10000
	maxStyles = 1 << 16 // Excel allows 65,490
)

// A sheet is one entry of the workbook.
type sheet struct {
	name   string
	id     string // of the relation that leads to its part
	hidden bool
	part   string
	grid   bool // cells, not a chart
}

// A workbook is what a workbook says of its sheets and formats.
type workbook struct {
	sheets   []sheet
	date1904 bool     // day 0 is 1904-01-01
	codes    []string // number format by style
	strings  string   // part of the shared strings; "" where there is none
}

// readWorkbook reads the workbook's parts but for the cells.
func readWorkbook(a *archive) (*workbook, error) {
	part, err := workbookPart(a)
	if err != nil {
		return nil, err
	}
	wb := &workbook{}
	if err := wb.readSheets(a, part); err != nil {
		return nil, err
	}
	styles, err := wb.relate(a, part)
	if err != nil {
		return nil, err
	}
	if styles != "" && a.has(styles) {
		if wb.codes, err = readStyles(a, styles); err != nil {
			return nil, err
		}
	}
	return wb, nil
}

// workbookPart finds the part that lists the sheets.
func workbookPart(a *archive) (string, error) {
	part := "xl/workbook.xml"
	if a.has("_rels/.rels") {
		err := a.visit("_rels/.rels", func(_ string, e xml.StartElement) error {
			if e.Name.Local == "Relationship" && strings.HasSuffix(attribute(e, "Type"), "/officeDocument") {
				part = partName(attribute(e, "Target"))
			}
			return nil
		})
		if err != nil {
			return "", err
		}
	}
	if !strings.HasSuffix(part, ".bin") && a.has(part) {
		return part, nil
	}
	switch {
	case strings.HasSuffix(part, ".bin"):
		return "", fault(pipeline.KindUnsupported, "open %s: it is a workbook of the binary format XLSB: save it as XLSX", a.file.Name())
	case a.has("content.xml"):
		return "", fault(pipeline.KindUnsupported, "open %s: it is an OpenDocument file: save it as XLSX", a.file.Name())
	}
	return "", fault(pipeline.KindUnsupported, "open %s: it is a ZIP file without a workbook in it", a.file.Name())
}

// visit walks over a small part.
func (a *archive) visit(name string, visit func(parent string, e xml.StartElement) error) error {
	in, err := a.open(name, maxSmallPartBytes)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := walk(in, visit); err != nil {
		return fault(pipeline.KindDamaged, "open %s: the workbook is damaged: %s: %w", a.file.Name(), pathname.Escape(name), err)
	}
	return nil
}

func (wb *workbook) readSheets(a *archive, part string) error {
	return a.visit(part, func(parent string, e xml.StartElement) error {
		switch {
		case e.Name.Local == "workbookPr":
			wb.date1904 = isTrue(attribute(e, "date1904"))
		case e.Name.Local == "sheet" && parent == "sheets":
			if len(wb.sheets) == maxSheets {
				return fmt.Errorf("over the bound of %d sheets", maxSheets)
			}
			state := attribute(e, "state")
			wb.sheets = append(wb.sheets, sheet{
				name:   attribute(e, "name"),
				id:     attribute(e, "id"),
				hidden: state == "hidden" || state == "veryHidden",
			})
		}
		return nil
	})
}

// relate finds the parts of the sheets, the shared strings and the styles.
func (wb *workbook) relate(a *archive, part string) (styles string, err error) {
	folder, file := path.Split(part)
	byID := make(map[string]int, len(wb.sheets))
	for i, s := range wb.sheets {
		byID[s.id] = i
	}
	err = a.visit(folder+"_rels/"+file+".rels", func(_ string, e xml.StartElement) error {
		if e.Name.Local != "Relationship" {
			return nil
		}
		target := attribute(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = folder + target
		}
		target = partName(target)
		switch _, kind := path.Split(attribute(e, "Type")); kind {
		case "worksheet", "chartsheet", "dialogsheet":
			if i, ok := byID[attribute(e, "Id")]; ok {
				wb.sheets[i].part, wb.sheets[i].grid = target, kind == "worksheet"
			}
		case "sharedStrings":
			wb.strings = target
		case "styles":
			styles = target
		}
		return nil
	})
	return styles, err
}

// readStyles reads the number format of each style.
func readStyles(a *archive, part string) ([]string, error) {
	own := make(map[int]string)
	var ids []int
	err := a.visit(part, func(parent string, e xml.StartElement) error {
		id, err := strconv.Atoi(attribute(e, "numFmtId"))
		switch {
		case e.Name.Local == "numFmt" && parent == "numFmts":
			if code := attribute(e, "formatCode"); err == nil && len(code) <= numfmt.MaxCodeBytes && len(own) < maxStyles {
				own[id] = code
			}
		case e.Name.Local == "xf" && parent == "cellXfs":
			if len(ids) == maxStyles {
				return errors.New("too many styles")
			}
			ids = append(ids, id)
		}
		return nil
	})
	codes := make([]string, len(ids))
	for i, id := range ids {
		code, ok := own[id]
		if !ok {
			code = numfmt.Builtin(id)
		}
		codes[i] = code
	}
	return codes, err
}

// find is the sheet that was asked for: by name, exactly or in another case, or by number from 1; "" for the first one
// that is visible.
func (wb *workbook) find(path, want string) (sheet, error) {
	if want == "" {
		for _, s := range wb.sheets {
			if !s.hidden && s.grid {
				return s, nil
			}
		}
		return sheet{}, fault(pipeline.KindRead, "open %s: no sheet of cells is visible%s", path, wb.shown())
	}
	s, ok := wb.named(want)
	if !ok {
		return sheet{}, fault(pipeline.KindRead, "open %s: no sheet %q%s%s", path, want, guess.DidYouMean(want, wb.names()), wb.shown())
	}
	if !s.grid {
		return sheet{}, fault(pipeline.KindRead, "open %s: sheet %q has no cells: it is a chart or a dialog", path, s.name)
	}
	return s, nil
}

func (wb *workbook) named(want string) (sheet, bool) {
	for _, s := range wb.sheets {
		if s.name == want {
			return s, true
		}
	}
	for _, s := range wb.sheets {
		if strings.EqualFold(s.name, want) {
			return s, true
		}
	}
	if n, err := strconv.Atoi(want); err == nil && n >= 1 && n <= len(wb.sheets) {
		return wb.sheets[n-1], true
	}
	return sheet{}, false
}

func (wb *workbook) names() []string {
	names := make([]string, len(wb.sheets))
	for i, s := range wb.sheets {
		names[i] = s.name
	}
	return names
}

// shown lists the sheets for an error.
func (wb *workbook) shown() string {
	const most = 20
	names := wb.names()
	for i, name := range names {
		names[i] = pathname.Escape(name)
	}
	if len(names) > most {
		return fmt.Sprintf(" (the sheets are: %s and %d more)", strings.Join(names[:most], ", "), len(names)-most)
	}
	return fmt.Sprintf(" (the sheets are: %s)", strings.Join(names, ", "))
}

func isTrue(s string) bool { return s == "1" || strings.EqualFold(s, "true") }
