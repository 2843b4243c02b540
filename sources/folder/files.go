package folder

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
)

// FilesOptions name single files.
type FilesOptions struct {
	Name     string   // of the source; "" for "files"
	Paths    []string // the files, in the order in which they are listed
	MaxBytes int64    // bound on a document's size; 0 for DefaultMaxBytes
}

// Files is a source of single files that a person named, so symbolic links are followed. The ID of a document is its path as it was
// given, cleaned and with slashes, escaped as that of Source; so is its stamp.
type Files struct {
	options FilesOptions
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
	return &Files{options: o}, nil
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
		for _, path := range f.options.Paths {
			if err := ctx.Err(); err != nil {
				yield(pipeline.Ref{}, err)
				return
			}
			info, err := statRegular(path)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if lacking(err) {
				yield(pipeline.Ref{}, machineError(path, err))
				return
			}
			if !yield(f.ref(path, info, err), nil) {
				return
			}
		}
	}
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
	path := filepath.FromSlash(pathname.Unescape(ref.ID))
	data, err := read(ctx, anywhere{}, path, f.options.MaxBytes)
	if err != nil {
		return nil, failure(ctx, path, err)
	}
	return &pipeline.Document{Ref: ref, Path: path, Data: data}, nil
}

// Close does nothing: no file is held open.
func (f *Files) Close() error { return nil }
