// Package pack reads the formats that are XML in a ZIP file (OOXML, OpenDocument, EPUB) within bounds: the parts of the archive by name,
// and their XML as a stream of elements. What is damaged is read as far as it goes.
//
// It knows nothing of any one format but the short names of their namespaces.
package pack

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"docbatch/pipeline/extract/content"
)

// ErrDamaged is in the chain of the error of a part that breaks off, that does not unpack, whose checksum is wrong or whose XML is none.
// What came before it is good, and a reader may keep it and warn. The errors that hold it are also of content.Damaged.
var ErrDamaged = errors.New("it is damaged")

// An Archive is a ZIP file in memory (PKWARE APPNOTE 6.3). Its methods are not for use by several goroutines at once.
type Archive struct {
	names   []string
	entries map[string]*entry
	folded  map[string]*entry // by the name in lower case
	damage  string
	bounds  *content.Bounds
	left    int64 // bytes that may still be unpacked
}

// An entry is one file of the archive.
type entry struct {
	method uint16
	locked bool   // encrypted
	crc    uint32 // 0: not known
	size   int64  // unpacked, as the file says; a hint
	body   []byte // packed
}

// lockedFlag is the bit of a ZIP header's flags that says that the entry is encrypted.
const lockedFlag = 1 << 0

// Open reads the directory of a ZIP file. One that is damaged or gone, as in a file that was cut short, is made up for by looking for the
// entries themselves; Damage tells of that. An error is of content.Damaged where there is no entry at all, or of content.TooLarge for
// more entries than Bounds.Parts.
func Open(data []byte, b *content.Bounds) (*Archive, error) {
	a := &Archive{entries: map[string]*entry{}, folded: map[string]*entry{}, bounds: b, left: b.Unpacked}
	// Counted before archive/zip makes 200 bytes of each: what the file itself says of the number is not to be trusted.
	if n := bytes.Count(data, []byte(centralHeader)); n > b.Parts {
		return nil, tooManyParts(b)
	}
	whole := a.readDirectory(data)
	if !whole {
		a.damage = "the directory of the ZIP file is damaged; its parts were looked for, and some may be missing"
		if err := a.salvage(data); err != nil {
			return nil, err
		}
	}
	if len(a.names) == 0 {
		return nil, content.Damaged("it is no ZIP file, or nothing of it is left")
	}
	return a, nil
}

func tooManyParts(b *content.Bounds) error {
	return content.TooLarge("it holds more than %d parts (the bound on parts)", b.Parts)
}

// readDirectory adds the entries of the central directory and reports whether it is whole: all of them lie where it says.
func (a *Archive) readDirectory(data []byte) (whole bool) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return false
	}
	whole = true
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		offset, err := f.DataOffset()
		if err != nil || offset > int64(len(data)) {
			whole = false
			continue
		}
		end := int64(len(data))
		if f.CompressedSize64 <= uint64(end-offset) {
			end = offset + int64(f.CompressedSize64)
		}
		a.add(f.Name, &entry{
			method: f.Method,
			locked: f.Flags&lockedFlag != 0,
			crc:    f.CRC32,
			size:   int64(min(f.UncompressedSize64, 1<<40)),
			body:   data[offset:end],
		})
	}
	return whole
}

// add keeps an entry unless there is one of its name.
func (a *Archive) add(name string, e *entry) {
	name = clean(name)
	if a.entries[name] != nil || name == "" {
		return
	}
	a.names = append(a.names, name)
	a.entries[name] = e
	if lower := strings.ToLower(name); a.folded[lower] == nil {
		a.folded[lower] = e
	}
}

// clean makes a name as parts refer to each other out of any spelling of it: "/word\./a.xml" is "word/a.xml".
func clean(name string) string {
	return strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(name, `\`, "/")), "/")
}

func (a *Archive) find(name string) *entry {
	name = clean(name)
	if e := a.entries[name]; e != nil {
		return e
	}
	return a.folded[strings.ToLower(name)]
}

// Names are the names of the parts, with slashes and without one in front, in the order of the archive and each once. Folders are not
// among them.
func (a *Archive) Names() []string { return a.names }

// Has reports whether there is a part of that name. A slash in front, backslashes and the case of letters make no difference, as in all
// methods.
func (a *Archive) Has(name string) bool { return a.find(name) != nil }

// Damage says, as a warning for a person, what is wrong with the archive itself; "" where nothing is.
func (a *Archive) Damage() string { return a.damage }

// noPart is the error of a part that is not there, by its name.
type noPart string

func (name noPart) Error() string        { return "there is no part " + string(name) + " in it" }
func (name noPart) Is(target error) bool { return target == fs.ErrNotExist }

// Read unpacks a part. An error is one of
//   - fs.ErrNotExist where there is no such part,
//   - content.TooLarge where the part is larger than Bounds.Part, or all that was unpacked so far than Bounds.Unpacked,
//   - content.Encrypted,
//   - ErrDamaged, with the bytes that could be read.
func (a *Archive) Read(name string) ([]byte, error) {
	p, err := a.open(name)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	buf.Grow(int(min(p.entry.size, a.bounds.Part, 1<<20)) + bytes.MinRead)
	_, err = buf.ReadFrom(p)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	return buf.Bytes(), err
}

// XML opens a part as XML. Errors, here or later by the Decoder, are those of Read.
func (a *Archive) XML(name string) (*Decoder, error) {
	p, err := a.open(name)
	if err != nil {
		return nil, err
	}
	return newDecoder(p, "part "+p.name, a.bounds), nil
}

// maxDeflate is how many times its size a body can unpack to (RFC 1951): an entry that says that it is larger is damaged, not large.
const maxDeflate = 1032

// open begins to unpack a part.
func (a *Archive) open(name string) (*part, error) {
	e := a.find(name)
	switch {
	case e == nil:
		return nil, content.Damaged("%w", noPart(clean(name)))
	case e.locked:
		return nil, content.Encrypted("its part %s is encrypted", clean(name))
	}
	p := &part{archive: a, entry: e, name: clean(name)}
	switch e.method {
	case zip.Store:
		p.src = bytes.NewReader(e.body)
	case zip.Deflate:
		if e.size > a.bounds.Part && e.size <= maxDeflate*int64(len(e.body)) {
			return nil, p.tooLarge() // 5 s before that much of a sheet is read
		}
		p.src = inflate(e.body)
	default:
		return nil, fmt.Errorf("%w: it is packed by method %d", p.damaged(), e.method)
	}
	return p, nil
}
