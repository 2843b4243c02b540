package folder

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"docbatch/pipeline"
	"docbatch/sources/archive"
	"docbatch/sources/pathname"
)

// FilesOptions name single files.
type FilesOptions struct {
	Name     string   // of the source; "" for "files"
	Paths    []string // the files, in the order in which they are listed
	MaxBytes int64    // bound on a document's size; 0 for DefaultMaxBytes

	// Select says of each of Paths which members of it are documents, if it is an archive; nil for all but hidden ones.
	Select []Selection
}

// A Selection chooses members of an archive, as Options do files of a folder. Patterns are matched with paths from the archive.
type Selection struct {
	Include, Exclude []string
	Hidden           bool
}

// Files is a source of single files that a person named, so symbolic links are followed. The ID of a document is its path as it was
// given, cleaned and with slashes, escaped as that of Source; so is its stamp. Of archives the members are the documents.
type Files struct {
	options FilesOptions
	filters []filter // one for each of options.Paths
	shelf   *archive.Shelf
}

var _ pipeline.Source = (*Files)(nil)

// OpenFiles makes the source. It is an error of class Fatal if one of the files is not there, is not a regular file or was named twice.
func OpenFiles(o FilesOptions) (*Files, error) {
	if o.Name == "" {
		o.Name = "files"
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	seen := make(map[string]bool, len(o.Paths))
	paths := make([]string, len(o.Paths))
	for i, path := range o.Paths {
		if _, err := statRegular(path); err != nil {
			return nil, fatal("open", path, err)
		}
		path = filepath.Clean(path)
		if seen[path] {
			return nil, fatal("open", path, errTwice)
		}
		seen[path] = true
		paths[i] = path
	}
	o.Paths = paths
	filters := make([]filter, len(paths))
	for i, s := range o.Select {
		var err error
		if filters[i], err = newFilter(s.Include, s.Exclude, s.Hidden); err != nil {
			return nil, err
		}
	}
	return &Files{options: o, filters: filters, shelf: newShelf(o.MaxBytes)}, nil
}

func statRegular(path string) (fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errNotRegular
	}
	return info, err
}

// Name is FilesOptions.Name.
func (f *Files) Name() string { return f.options.Name }

// Columns is nil: files have no fields.
func (f *Files) Columns() []string { return nil }

// List yields the files in the order in which they were named; see pipeline.Source. One that is gone since is not listed.
func (f *Files) List(ctx context.Context) iter.Seq2[pipeline.Ref, error] {
	return func(yield func(pipeline.Ref, error) bool) {
		for i, path := range f.options.Paths {
			refs, err := f.refs(ctx, path, f.filters[i])
			if err != nil {
				yield(pipeline.Ref{}, err)
				return
			}
			for _, ref := range refs {
				if err := ctx.Err(); err != nil {
					yield(pipeline.Ref{}, err)
					return
				}
				if !yield(ref, nil) {
					return
				}
			}
		}
	}
}

// refs are those of a file: of the members of an archive, or its own; none where it is gone.
func (f *Files) refs(ctx context.Context, path string, members filter) ([]pipeline.Ref, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if archive.Named(path) {
		a := f.archived(path, pathname.Display(path))
		refs, err := a.list(ctx, f.options.Name, newSieve(members, a.id, "", false).wanted)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if !errors.Is(err, archive.ErrNotArchive) {
			return refs, err
		}
	}
	info, err := statRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if lacking(err) {
		return nil, machineError(path, err)
	}
	return []pipeline.Ref{f.ref(path, info, err)}, nil
}

func (f *Files) archived(path, id string) archived {
	return archived{shelf: f.shelf, in: anywhere{}, name: path, path: path, id: id}
}

func (f *Files) ref(path string, info fs.FileInfo, err error) pipeline.Ref {
	id := pathname.Display(path)
	if err != nil {
		return lostRef(f.options.Name, id, path, err)
	}
	return fileRef(f.options.Name, id, pathname.Escape(filepath.Base(path)), info)
}

// Open reads a file as Source.Open does, wherever it is.
func (f *Files) Open(ctx context.Context, ref pipeline.Ref) (*pipeline.Document, error) {
	id, isMember := archiveOf(ref.ID)
	path := filepath.FromSlash(pathname.Unescape(id))
	var data []byte
	var err error
	if isMember {
		data, err = f.archived(path, id).read(ctx, ref.ID)
	} else {
		data, err = read(ctx, anywhere{}, path, f.options.MaxBytes)
	}
	if err != nil {
		return nil, failure(ctx, path, err)
	}
	return &pipeline.Document{Ref: ref, Path: path, Data: data}, nil
}

// Close lets go of the archives.
func (f *Files) Close() error { return f.shelf.Close() }
