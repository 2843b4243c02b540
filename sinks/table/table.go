// Package table is the table that the sinks write: which columns there are, in which order, and what stands in them for a
// record. It knows no format; sinks/csv and sinks/xlsx write its cells, sinks/jsonl uses the same words.
package table

import (
	"strconv"
	"strings"
	"unicode"

	"docbatch/pipeline"
)

// The columns of our own. The original columns of a row stand between Name and Answer.
const (
	ID               = "id"
	Name             = "name"
	Answer           = "answer"
	State            = "state"
	Class            = "class"
	Error            = "error"
	Warnings         = "warnings"
	Model            = "model"
	PromptTokens     = "prompt_tokens"
	CompletionTokens = "completion_tokens"
	Tokens           = "tokens"
	Duration         = "duration_ms"
	Attempts         = "attempts"
	Source           = "source"
)

var (
	before = []string{ID, Name}
	after  = []string{Answer, State, Class, Error, Warnings, Model, PromptTokens, CompletionTokens, Tokens, Duration, Attempts, Source}
)

// Gone stands in State for a document that is gone from the inputs; what it was before is told by Answer, Class and Error.
const Gone pipeline.State = "gone"

// A Table lays records out in cells.
type Table struct {
	header []string
	fields []string
	index  map[string]int // of a field's name in fields
}

// New makes a table with the original columns fields, in this order; each name is there once.
func New(fields []string) *Table {
	t := &Table{fields: fields, index: make(map[string]int, len(fields))}
	for i, name := range fields {
		t.index[name] = i
	}
	t.header = append(t.header, before...)
	t.header = append(t.header, rename(fields)...)
	t.header = append(t.header, after...)
	return t
}

// rename gives every field that is called like one of our columns, in whatever case, the next free name: id_2.
func rename(fields []string) []string {
	ours, taken := map[string]bool{}, map[string]bool{}
	for _, name := range append(before[:len(before):len(before)], after...) {
		ours[name], taken[name] = true, true
	}
	for _, name := range fields {
		taken[strings.ToLower(name)] = true
	}
	names := make([]string, len(fields))
	for i, name := range fields {
		names[i] = name
		if !ours[strings.ToLower(name)] {
			continue
		}
		for n := 2; taken[strings.ToLower(names[i])]; n++ {
			names[i] = name + "_" + strconv.Itoa(n)
		}
		taken[strings.ToLower(names[i])] = true
	}
	return names
}

// Header is the names of all columns. An original column that is called like one of ours, in whatever case, is renamed:
// id_2, or the next number that is free.
func (t *Table) Header() []string { return t.header }

// AppendCells appends the cells of rec, one for each column, to cells. A field that the record lacks is an empty cell; one
// that is no column is left out. Texts are as in the record: see Clean.
func (t *Table) AppendCells(cells []string, rec *pipeline.Record) []string {
	state, class, message := Outcome(rec)
	cells = append(cells, rec.ID, rec.Name)
	cells = t.appendFields(cells, rec.Fields)
	return append(cells, rec.Answer, string(state), string(class), message, WarningsOf(rec), rec.Model,
		strconv.Itoa(rec.Tokens.Prompt), strconv.Itoa(rec.Tokens.Completion), strconv.Itoa(rec.Tokens.Total()),
		strconv.FormatInt(rec.Duration.Milliseconds(), 10), strconv.Itoa(rec.Tries), rec.Source)
}

func (t *Table) appendFields(cells []string, fields []pipeline.Field) []string {
	first := len(cells)
	for range t.fields {
		cells = append(cells, "")
	}
	for i, f := range fields {
		// With one source, the usual case, the fields are the columns in their order: no need to look the name up.
		if i < len(t.fields) && t.fields[i] == f.Name {
			cells[first+i] = f.Value
		} else if at, ok := t.index[f.Name]; ok {
			cells[first+at] = f.Value
		}
	}
	return cells
}

// Outcome is what the outputs say of how a record ended: Pending for one without outcome, Gone for a document that is gone; class and message are "" where there
// is no error. The message keeps its lines, but no other control characters.
func Outcome(rec *pipeline.Record) (state pipeline.State, class pipeline.Class, message string) {
	state = rec.State
	switch {
	case !rec.Gone.IsZero():
		state = Gone
	case !state.Final():
		state = pipeline.Pending
	}
	if rec.Err == nil {
		return state, "", ""
	}
	return state, rec.Err.Class, strings.Map(printable, rec.Err.Error())
}

// WarningsOf is what of the document could not be read, one line a warning.
func WarningsOf(rec *pipeline.Record) string {
	return strings.Map(printable, strings.Join(rec.Warnings, "\n"))
}

func printable(r rune) rune {
	switch {
	case r == '\n':
		return r
	case r == '\t':
		return ' '
	case unicode.IsControl(r):
		return -1
	}
	return r
}

// Clean is s as every table format can hold it: without NUL and other control characters but tab and line ends, and
// without what Unicode calls no character. Bytes that are not UTF-8 become U+FFFD.
func Clean(s string) string { return strings.Map(legal, s) }

// nextLine is a control character that ends a line.
const nextLine = '\u0085'

func legal(r rune) rune {
	switch {
	case r >= ' ' && r < 0x7f, r == '\n', r == '\t', r == '\r':
		return r
	case r == nextLine:
		return '\n'
	case r < 0xa0, r == 0xfffe, r == 0xffff:
		return -1
	}
	return r
}
