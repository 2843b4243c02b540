package pack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"

	"docbatch/pipeline/charset"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/msg/cfb"
)

// Embedded reads the documents that lie within a document as parts of its archive.
type Embedded struct {
	archive *Archive
	file    *content.File
	content *content.Content    // takes the warnings
	seen    map[string]bool     // a part is read once, however often it is referred to
	leftOut map[string][]string // the names of those that could not be read, by the cause
}

// NewEmbedded is for what lies within f, which a unpacks; c takes the warnings.
func NewEmbedded(a *Archive, f *content.File, c *content.Content) *Embedded {
	return &Embedded{archive: a, file: f, content: c, seen: map[string]bool{}, leftOut: map[string][]string{}}
}

// Read gives the text of the document in a part, and its name: that of the file that was put there, where it is kept. The text is "" of one
// that was read before or can't be read. An error is of the bounds, or ctx's.
func (e *Embedded) Read(ctx context.Context, part string) (name, text string, err error) {
	if e.seen[part] || e.file.Within == nil {
		return "", "", nil
	}
	e.seen[part] = true
	data, err := e.archive.Read(part)
	switch {
	case errors.Is(err, ErrDamaged), errors.Is(err, fs.ErrNotExist):
		e.content.Warn(err.Error())
		return "", "", nil
	case err != nil:
		return "", "", err
	}
	name, data = unwrap(path.Base(part), data)
	inner, err := e.file.Within(ctx, &content.File{Name: name, Data: data})
	if ctxErr := ctx.Err(); ctxErr != nil {
		return "", "", ctxErr
	}
	if err != nil {
		e.leftOut[err.Error()] = append(e.leftOut[err.Error()], name)
		return "", "", nil
	}
	for _, w := range inner.Warnings {
		e.content.Warn(name + ": " + w)
	}
	return name, strings.TrimSpace(inner.Text), nil
}

// Write writes the document in a part, if it has text, with a mark before it: "--- embedded book.xlsx ---".
func (e *Embedded) Write(ctx context.Context, w *content.Writer, part string) error {
	name, text, err := e.Read(ctx, part)
	if text != "" {
		w.Break()
		w.Printf("--- embedded %s ---\n\n%s\n", name, text)
	}
	return cmp.Or(err, w.Err())
}

// maxNamed is how many documents a warning names.
const maxNamed = 5

// Warn warns of the documents that could not be read, once for each cause: a text may hold hundreds of equations that are such documents.
func (e *Embedded) Warn() {
	for _, cause := range slices.Sorted(maps.Keys(e.leftOut)) {
		names := e.leftOut[cause]
		more := ""
		if n := len(names) - maxNamed; n > 0 {
			names, more = names[:maxNamed], fmt.Sprintf(" and %d more", n)
		}
		e.content.Warn(fmt.Sprintf("documents within it were left out, %s%s: %s", strings.Join(names, ", "), more, cause))
	}
}

// unwrap gives the file that an OLE object holds (MS-OLEDS 2.3.6), and its name; of what is none, what it was given.
func unwrap(name string, data []byte) (string, []byte) {
	f, err := cfb.New(data)
	if err != nil {
		return name, data
	}
	root := f.Root()
	if label, file, ok := native(root.Stream("\x01Ole10Native")); ok {
		return cmp.Or(label, name), file
	}
	for _, stream := range []string{"Package", "EmbeddedOdf", "CONTENTS"} { // Office since 2007, LibreOffice; Acrobat and others
		if file := root.Stream(stream); len(file) > 0 {
			return name, file
		}
	}
	return name, data
}

// maxName bounds the name of a file, in bytes.
const maxName = 255

// native reads an OLENativeStream as Windows' packager fills it: a label, a path, another path and the file.
func native(b []byte) (label string, file []byte, ok bool) {
	if len(b) < 6 {
		return "", nil, false
	}
	name, b, ok1 := bytes.Cut(b[6:], []byte{0})
	_, b, ok2 := bytes.Cut(b, []byte{0})
	if !ok1 || !ok2 || len(b) < 4 || len(name) > maxName {
		return "", nil, false
	}
	_, b = sized(b[4:])
	file, _ = sized(b)
	label, _ = charset.Decode(name)
	label = strings.TrimSpace(label[strings.LastIndexAny(label, `\/`)+1:])
	if strings.ContainsFunc(label, unicode.IsControl) {
		label = ""
	}
	return label, file, len(file) > 0
}

// sized cuts bytes off that their length stands before.
func sized(b []byte) (inner, rest []byte) {
	if len(b) < 4 {
		return nil, nil
	}
	n := min(uint64(binary.LittleEndian.Uint32(b)), uint64(len(b)-4))
	return b[4 : 4+n], b[4+n:]
}
