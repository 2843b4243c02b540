// Package sources opens the inputs of a job: it finds out what each one is and gives it to the source that reads such. A new kind of
// input is a folder below this one and one line in Open's switch.
package sources

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"docbatch/pipeline"
	"docbatch/sources/csv"
	"docbatch/sources/folder"
	"docbatch/sources/pathname"
	"docbatch/sources/xlsx"
)

// A Spec describes one input. What does not apply to its kind is ignored: a job's flags are for all its inputs.
type Spec struct {
	Path string // a folder or a file
	Name string // of the source; "" for one made of Path

	// For folders and archives; see folder.Options and folder.Selection.
	Include, Exclude []string
	Hidden           bool

	// For folders; see folder.Options.
	FollowSymlinks bool
	Skip           []string

	// For rows; see csv.Options and xlsx.Options.
	Key, Text string
	NoHeader  bool
	Delimiter rune
	Sheet     string
	HeaderRow int

	MaxBytes int64 // bound on the size of a document that is a file; 0 for folder.DefaultMaxBytes
}

// filesName is the name of the source of all the plain files.
const filesName = "files"

// A kind is what an input is.
type kind int

const (
	kindFolder kind = iota
	kindCSV
	kindXLSX
	kindFile
)

// Open opens one input; see OpenAll.
func Open(ctx context.Context, spec Spec) (pipeline.Source, error) {
	srcs, err := OpenAll(ctx, []Spec{spec})
	if err != nil {
		return nil, err
	}
	return srcs[0], nil
}

// OpenAll opens the inputs of a job, in their order: folders, tables by their extension (.csv, .tsv, .psv, .xlsx, .xlsm), and all else
// as plain files, which share one source at the place of the first of them. An archive among these is the documents in it.
//
// A source without a Name is called by the last element of its path, escaped (see pathname), or by as many more as tell it from the
// others; that of the plain files is called "files". A folder does not list files that are inputs themselves. The same input twice is an error.
// With an error nothing stays open; it is of class Fatal, or ctx's.
func OpenAll(ctx context.Context, specs []Spec) ([]pipeline.Source, error) {
	inputs, err := look(specs)
	if err != nil {
		return nil, err
	}
	if err := name(inputs); err != nil {
		return nil, err
	}
	var srcs []pipeline.Source
	for _, in := range inputs {
		src, err := in.open(ctx)
		if err != nil {
			return nil, errors.Join(err, closeAll(srcs))
		}
		srcs = append(srcs, src)
	}
	return srcs, nil
}

func closeAll(srcs []pipeline.Source) error {
	var errs []error
	for _, src := range srcs {
		errs = append(errs, src.Close())
	}
	return errors.Join(errs...)
}

// An input is what becomes one source.
type input struct {
	Spec
	kind    kind
	abs     string             // Path, absolute
	real    string             // abs, without symbolic links
	files   []string           // the plain files, where that is what it is; Path is the first
	members []folder.Selection // of each of files, if it is an archive
}

// look finds out what each input is and gathers the plain files.
func look(specs []Spec) ([]*input, error) {
	var inputs []*input
	var skip []string
	seen := map[string]string{}
	groups := map[string]*input{}
	for _, spec := range specs {
		in, err := lookAt(spec)
		if err != nil {
			return nil, err
		}
		if first, ok := seen[in.real]; ok {
			return nil, fatal("input %s: named twice, first as %s", pathname.Display(spec.Path), pathname.Display(first))
		}
		seen[in.real] = spec.Path
		if in.kind != kindFolder {
			skip = append(skip, in.abs)
		}
		if in.kind == kindFile {
			if group := groups[in.Name]; group != nil {
				group.files = append(group.files, spec.Path)
				group.members = append(group.members, in.members...)
				group.MaxBytes = max(group.MaxBytes, spec.MaxBytes)
				continue
			}
			groups[in.Name] = in
		}
		inputs = append(inputs, in)
	}
	for _, in := range inputs {
		in.Skip = slices.Concat(in.Skip, skip)
	}
	return inputs, nil
}

func lookAt(spec Spec) (*input, error) {
	in := &input{Spec: spec, files: []string{spec.Path},
		members: []folder.Selection{{Include: spec.Include, Exclude: spec.Exclude, Hidden: spec.Hidden}}}
	info, err := os.Stat(spec.Path)
	if err == nil {
		in.abs, err = filepath.Abs(spec.Path)
	}
	if err == nil {
		in.real, err = filepath.EvalSymlinks(in.abs)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	if err != nil {
		return nil, fatal("input %s: %w", pathname.Display(spec.Path), err)
	}
	if !info.IsDir() && !info.Mode().IsRegular() {
		return nil, fatal("input %s: neither a folder nor a regular file", pathname.Display(spec.Path))
	}
	in.kind = kindOf(info, spec.Path)
	if in.kind == kindFile && in.Name == "" {
		in.Name = filesName
	}
	return in, nil
}

// fatal makes the error of an input that can't be used: without it the job is another one.
func fatal(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, format, args...)
}

func kindOf(info fs.FileInfo, path string) kind {
	if info.IsDir() {
		return kindFolder
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv", ".tsv", ".psv":
		return kindCSV
	case ".xlsx", ".xlsm":
		return kindXLSX
	}
	return kindFile
}

// open is the switch that a new kind of input adds a line to.
func (in *input) open(ctx context.Context) (pipeline.Source, error) {
	switch in.kind {
	case kindFolder:
		return opened(folder.Open(folder.Options{Name: in.Name, Root: in.Path, Include: in.Include, Exclude: in.Exclude,
			Hidden: in.Hidden, FollowSymlinks: in.FollowSymlinks, Skip: in.Skip, MaxBytes: in.MaxBytes}))
	case kindCSV:
		return opened(csv.Open(ctx, csv.Options{Name: in.Name, Path: in.Path, Key: in.Key, Text: in.Text,
			NoHeader: in.NoHeader, Delimiter: in.Delimiter}))
	case kindXLSX:
		return opened(xlsx.Open(ctx, xlsx.Options{Name: in.Name, Path: in.Path, Key: in.Key, Text: in.Text,
			Sheet: in.Sheet, NoHeader: in.NoHeader, HeaderRow: in.HeaderRow}))
	default:
		return opened(folder.OpenFiles(folder.FilesOptions{Name: in.Name, Paths: in.files, Select: in.members, MaxBytes: in.MaxBytes}))
	}
}

// opened keeps a nil pointer from becoming a source that is not nil.
func opened[S pipeline.Source](src S, err error) (pipeline.Source, error) {
	if err != nil {
		return nil, err
	}
	return src, nil
}
