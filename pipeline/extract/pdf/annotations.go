package pdf

import (
	"cmp"
	"slices"
	"strings"
)

// Annotations (ISO 32000-1, 12.5), as FPDFAnnot_GetSubtype numbers them.
const (
	annotText     = 1 // a note
	annotLink     = 2
	annotFreeText = 3
	annotPopup    = 16
	annotFile     = 17 // the last of those that a person comments with, but for annotPopup
	annotWidget   = 20 // a field of a form
)

// What annotations' flags say of being seen.
const (
	flagHidden = 1 << 1
	flagNoView = 1 << 5
)

// maxAnnotations bounds how many annotations of a page are looked at, and maxNote one's text, in bytes of UTF-16.
const (
	maxAnnotations = 2000
	maxNote        = 256 << 10
)

// marks are what is put onto a page after it was made.
type marks struct {
	drawn  []box  // where some of them draw something
	fields []line // the values of fields that draw something, which should be the value, but need not
	notes  []line // what others say without drawing it: comments, values of fields
}

// annotations reads the annotations of a page.
func (in *instance) annotations(page pointer) marks {
	var m marks
	count := min(in.count("FPDFPage_GetAnnotCount", page), maxAnnotations)
	if count == 0 {
		return m
	}
	reader := newAnnotationReader(in)
	defer reader.close()
	for n := range count {
		annotation := in.call("FPDFPage_GetAnnot", page, uint64(n))
		if annotation == 0 {
			continue
		}
		reader.read(annotation, &m)
		in.call("FPDFPage_CloseAnnot", annotation)
	}
	return m
}

// An annotationReader has the names of what is read of annotations in the instance's memory.
type annotationReader struct {
	in    *instance
	names map[string]pointer
	rect  pointer
}

func newAnnotationReader(in *instance) *annotationReader {
	return &annotationReader{in: in, names: map[string]pointer{}, rect: in.alloc(16)}
}

func (r *annotationReader) close() {
	r.in.call("free", r.rect)
	for _, at := range r.names {
		r.in.call("free", at)
	}
}

func (r *annotationReader) read(annotation pointer, m *marks) {
	kind := int(r.in.call("FPDFAnnot_GetSubtype", annotation))
	if kind == annotLink || kind == annotPopup || r.in.call("FPDFAnnot_GetFlags", annotation)&(flagHidden|flagNoView) != 0 {
		return
	}
	var at box
	if r.in.call("FPDFAnnot_GetRect", annotation, r.rect) != 0 {
		at = r.in.box(r.rect)
	}
	drawn := r.in.count("FPDFAnnot_GetAP", annotation, 0, 0, 0) > 2
	if drawn {
		m.drawn = append(m.drawn, at)
	}
	note := ""
	switch {
	case kind == annotWidget || kind == annotFreeText:
		if drawn && r.value(annotation, "FT") == "Btn" {
			return // a box that is ticked looks so; the value is only a name for it
		}
		note = cmp.Or(r.value(annotation, "V"), r.value(annotation, "Contents"))
		if drawn && note != "" {
			m.fields = append(m.fields, line{box: at, note: note})
			return
		}
	case kind >= annotText && kind <= annotFile:
		note = comment(r.value(annotation, "T"), r.value(annotation, "Contents"))
	}
	if note != "" {
		m.notes = append(m.notes, line{box: at, note: note})
	}
}

// fill puts the values of fields among what is drawn of them, in place of drawings that show none or a part: a program that fills a form in
// may leave the drawing to the viewer, and a long text is cut at the frame. Where something else is drawn, such as a date as people write it,
// that is what is seen.
func fill(drawings, fields []line) []line {
	if len(drawings)*len(fields) > maxLinePairs {
		return drawings
	}
	for n := range fields {
		field := &fields[n]
		within := func(l line) bool { return l.turned(4 - l.turn).within(field.box) }
		var drawn strings.Builder
		for _, l := range drawings {
			if l.note == "" && within(l) {
				drawn.WriteString(l.text())
			}
		}
		part, value := unspaced(drawn.String()), unspaced(field.note)
		if len(part) < len(value) && strings.Contains(value, part) {
			drawings = slices.DeleteFunc(drawings, func(l line) bool { return l.note == "" && within(l) })
			drawings = append(drawings, *field)
		}
	}
	return drawings
}

func unspaced(s string) string { return strings.Join(strings.Fields(s), "") }

// value is an annotation's entry.
func (r *annotationReader) value(annotation pointer, key string) string {
	at, ok := r.names[key]
	if !ok {
		at = r.in.put([]byte(key))
		r.names[key] = at
	}
	return strings.TrimSpace(r.in.text16(maxNote, "FPDFAnnot_GetStringValue", annotation, at))
}

// comment is what a person wrote onto a page.
func comment(author, text string) string {
	switch {
	case text == "":
		return ""
	case author == "":
		return "[Comment: " + text + "]"
	}
	return "[Comment by " + author + ": " + text + "]"
}
