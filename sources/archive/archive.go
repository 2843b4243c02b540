// Package archive makes documents of the members of archives: zip, tar, 7z, and what gzip, bzip2, xz and zstd compress. A member's ID is
// that of its archive, "!/" and its path: "dump.zip!/letters/7.pdf"; archives lie within archives: "dump.zip!/old.tar.gz!/a.txt".
//
// It knows nothing of folders and patterns: a source gives it open files and says which members it wants. Members are never written under
// their own names, nothing in an archive is a path to it. Every byte of an archive is taken for hostile.
package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync/atomic"

	"docbatch/pipeline"
)

// Border is what stands in an ID between an archive and the path of a member of it. It stands nowhere else: see pathname.Escape.
const Border = "!/"

var (
	// ErrNotArchive is returned for a file that is none, whatever its name says: it is a document itself.
	ErrNotArchive = errors.New("not an archive")

	// ErrChanged is returned for an archive that changed while it was read; to read it anew may help.
	ErrChanged = errors.New("the archive changed while it was read")
)

// extensions are those of the archives that are looked into. Documents that are archives inside (DOCX, EPUB, JAR) have others.
var extensions = map[string]bool{
	".zip": true, ".tar": true, ".7z": true,
	".gz": true, ".bz2": true, ".xz": true, ".zst": true,
	".tgz": true, ".tbz": true, ".tbz2": true, ".txz": true, ".tzst": true,
}

// Named reports whether a file of that name is looked into; what it is its bytes decide then.
func Named(name string) bool {
	ext := path.Ext(name)
	return len(ext) >= 3 && len(ext) <= 5 && (extensions[ext] || extensions[strings.ToLower(ext)])
}

// A File is an archive that lies in no other.
type File struct {
	ID   string // its own, escaped
	Path string // for messages, escaped
	In   *os.File
}

// at is what messages call a member, or an archive within, by its ID.
func (f File) at(id string) string { return f.Path + strings.TrimPrefix(id, f.ID) }

// A Member is a document within an archive, or an archive that can't be had, or not to its end.
type Member struct {
	ID    string          // escaped
	Stamp string          // made of size and bytes, so that it changes with these and nothing else; "" where Err is set
	Err   *pipeline.Error // why it can't be had, of class Invalid; else nil
}

// Options choose what a Shelf does.
type Options struct {
	MaxBytes int64                    // bound on the size of a member
	Stamp    func(fs.FileInfo) string // a mark that changes when a file does
}

// An input is the bytes of an archive: a file's, or those of a member.
type input struct {
	bytes  *source
	size   int64
	id     string
	depth  int // 1 for a file
	budget *budget
}

// newInput makes the input of an archive that lies in no other.
func newInput(in io.ReaderAt, size int64, id string) *input {
	return &input{bytes: &source{in: in}, size: size, id: id, depth: 1, budget: newBudget(size)}
}

// within makes the input of an archive that is a member of in.
func (in *input) within(data []byte, id string) *input {
	return &input{bytes: &source{in: bytes.NewReader(data)}, size: int64(len(data)), id: id, depth: in.depth + 1, budget: in.budget}
}

// section is a reader of all the bytes.
func (in *input) section() *io.SectionReader { return io.NewSectionReader(in.bytes, 0, in.size) }

// A source remembers that the file itself could not be read: nothing is wrong with the archive then.
type source struct {
	in  io.ReaderAt
	err atomic.Pointer[error]
}

func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, io.ErrUnexpectedEOF // archive/zip adds up what the file says
	}
	n, err := s.in.ReadAt(p, off)
	if err != nil && err != io.EOF {
		s.err.Store(&err)
	}
	return n, err
}

// failure gives an error of reading a member its words.
func (s *source) failure(err error) error {
	if _, classed := errors.AsType[*pipeline.Error](err); classed || err == nil {
		return err
	}
	if unread := s.err.Load(); unread != nil {
		return *unread
	}
	return fault(pipeline.KindDamaged, "it is damaged: %w", err)
}

// An entry is what an archive says of one of its members.
type entry struct {
	name  string
	size  int64           // in bytes; -1 where it is known only at the end
	fault *pipeline.Error // why the bytes can't be had; else nil

	misnamed bool // that is why: patterns have nothing to say of its name

	// stamp is what the archive knows of the bytes without unpacking them; where that is "", packed may give bytes that change as they do.
	stamp  string
	packed func() io.Reader

	// open gives the bytes, until the walk goes on to the next entry.
	open func() (io.Reader, error)

	// Where the bytes can be had at any time, one of these says how.
	reopen func() (io.ReadCloser, error)
	at     int64 // from which byte of the archive on they lie in it as they are; 0 for nowhere: a header comes first
}

// A walker calls each for the files of an archive, in the archive's order: for no folders, links or devices. An error that it does not know
// means that the archive is damaged.
type walker func(ctx context.Context, in *input, each func(*entry) error) error

// format is the walker for what the bytes of in are; nil where they are no archive.
func format(in *input) (walker, error) {
	head := make([]byte, tarBlock)
	n, err := in.section().ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	head = head[:n]
	switch {
	case isZip(head):
		return walkZip, nil
	case is7z(head):
		return walk7z, nil
	case isTar(head):
		return walkTarFile, nil
	case compression(head) != nil:
		return walkCompressed, nil
	}
	return nil, nil
}

// walk calls each for the documents of an archive, by their IDs: twice the same name is told apart, names that no document can have get a
// fault. An error of class Invalid says what is wrong with the archive.
func walk(ctx context.Context, in *input, each func(id string, e *entry) error) (err error) {
	w, err := format(in)
	if err != nil {
		return err
	}
	if w == nil {
		return ErrNotArchive
	}
	if in.depth > maxNesting {
		return fault(pipeline.KindTooLarge, "archives lie more than %d deep (the bound on nesting)", maxNesting)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fault(pipeline.KindDamaged, "the archive is damaged: %v", p)
		}
	}()
	ids := newNames(in.id)
	n := 0
	err = w(ctx, in, func(e *entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := in.budget.member(); err != nil {
			return err
		}
		id, why := ids.id(e.name)
		if id == "" {
			return nil
		}
		if why != "" {
			e.fault, e.misnamed = fault(pipeline.KindDamaged, "%s", why), true
		}
		if err := each(id, e); err != nil {
			return err
		}
		n++
		return nil
	})
	return in.failure(ctx, n, err)
}

// failure gives an error of a walk that came to n members its words.
func (in *input) failure(ctx context.Context, n int, err error) error {
	switch e, classed := errors.AsType[*pipeline.Error](err); {
	case err == nil, errors.Is(err, ErrNotArchive):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case in.bytes.err.Load() != nil:
		return *in.bytes.err.Load()
	case in.budget.spent != nil:
		return in.budget.spent
	case classed:
		return e
	}
	if n == 0 {
		return fault(pipeline.KindDamaged, "the archive is damaged: %w", err)
	}
	return fault(pipeline.KindDamaged, "the archive is damaged after member %d: %w", n, err)
}

// fault is an error of an archive or of a member.
func fault(kind, format string, args ...any) *pipeline.Error {
	return pipeline.Errorf(pipeline.Invalid, kind, format, args...)
}

// faultAt is why, as an error of what messages call name.
func faultAt(name string, why *pipeline.Error) *pipeline.Error {
	return fault(why.Kind, "open %s: %w", name, why.Err)
}

// tooLarge is the fault of a member of size bytes, for messages as a folder has them.
func tooLarge(size, max int64) *pipeline.Error {
	return fault(pipeline.KindTooLarge, "%d bytes are more than %d (the bound on size)", size, max)
}

// mebibytes says a bound to a person.
func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
