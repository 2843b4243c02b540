package folder

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"docbatch/pipeline"
	"docbatch/sources/archive"
	"docbatch/sources/pathname"
)

// readDirEntries is how many entries of a folder are read before the context is looked at again.
const readDirEntries = 4096

// A walk is one listing.
type walk struct {
	*Source
	ctx   context.Context
	yield func(pipeline.Ref, error) bool
	seen  map[string]bool // real folders; nil where links are not followed
}

// A place is a folder on the way.
type place struct {
	rel      string // from the root, with slashes; "" for the root
	path     string // as it is opened
	real     string // absolute, without symbolic links
	included bool   // a pattern includes all that is in it
}

func (p place) join(name string) string {
	if p.rel == "" {
		return name
	}
	return p.rel + "/" + name
}

// folder lists what is in a folder. Like all the methods that return a bool it says whether the walk goes on.
func (w *walk) folder(p place) bool {
	entries, err := readDir(w.ctx, p.path)
	if err != nil && !w.unreadable(p, err) {
		return false
	}
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			w.yield(pipeline.Ref{}, err)
			return false
		}
		if !w.entry(p, e) {
			return false
		}
	}
	return true
}

// unreadable yields a folder that can't be read, or not to its end. Without the root there is nothing to go on with; a folder that
// was removed since its parent was read is gone like any other document.
func (w *walk) unreadable(p place, err error) bool {
	if ctxErr := w.ctx.Err(); ctxErr != nil {
		w.yield(pipeline.Ref{}, ctxErr)
		return false
	}
	if p.rel == "" {
		w.yield(pipeline.Ref{}, fatal("list folder", p.path, err))
		return false
	}
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	return w.lost(p.rel+"/", p.path, err)
}

// lost yields a ref for what was found but can't be had.
func (w *walk) lost(rel, path string, err error) bool {
	if lacking(err) {
		w.yield(pipeline.Ref{}, machineError(path, err))
		return false
	}
	return w.yield(lostRef(w.options.Name, pathname.Escape(rel), path, err), nil)
}

func lostRef(source, id, path string, err error) pipeline.Ref {
	return pipeline.Ref{Source: source, ID: id, Name: lastElement(id),
		Err: pipeline.Errorf(pipeline.Invalid, pipeline.KindRead, "open %s: %w", pathname.Display(path), cause(err))}
}

// lastElement is the last element of an ID, with the slash that a folder's ends in.
func lastElement(id string) string {
	return id[strings.LastIndexByte(id[:len(id)-1], '/')+1:]
}

// entry lists one entry of a folder: a file is yielded, a folder listed, a link followed, all else passed.
func (w *walk) entry(p place, e fs.DirEntry) bool {
	name := e.Name()
	if w.unlisted(name) || w.skip.has(p.real, name) {
		return true
	}
	child := place{rel: p.join(name), included: p.included}
	switch t := e.Type(); {
	case t.IsRegular():
		return w.regular(p, child, name, e.Info)
	case t.IsDir():
		child.real = filepath.Join(p.real, name)
		return w.enter(p, child, name)
	case t&fs.ModeSymlink != 0 && w.seen != nil:
		return w.link(p, child, name)
	}
	return true
}

// regular lists a regular file: as the archive that it is, or as a document.
func (w *walk) regular(p, child place, name string, info func() (fs.FileInfo, error)) bool {
	if archive.Named(name) {
		if goOn, is := w.archive(p, child, name); is {
			return goOn
		}
	}
	if !w.wanted(child, name) {
		return true
	}
	i, err := info()
	return w.file(p, child, name, i, err)
}

// archive lists a file that has the name of an archive, and reports whether it is one. The patterns treat it as a folder: one that leaves
// it out leaves out all that is in it.
func (w *walk) archive(p, child place, name string) (goOn, is bool) {
	if matchAny(w.exclude, child.rel, name, true) {
		return true, true
	}
	a := w.archived(filepath.FromSlash(child.rel), pathname.Escape(child.rel))
	included := child.included || matchAny(w.include, child.rel, name, true)
	refs, err := a.list(w.ctx, w.options.Name, newSieve(w.filter, a.id, child.rel+archive.Border, included).wanted)
	switch {
	case errors.Is(err, archive.ErrNotArchive):
		return false, false
	case errors.Is(err, fs.ErrNotExist):
		return true, true
	case err != nil:
		w.yield(pipeline.Ref{}, err)
		return false, true
	}
	for _, ref := range refs {
		if err := w.ctx.Err(); err != nil {
			w.yield(pipeline.Ref{}, err)
			return false, true
		}
		if !w.yield(ref, nil) {
			return false, true
		}
	}
	return true, true
}

// file yields a file, unless it was removed since its folder was read.
func (w *walk) file(p, child place, name string, info fs.FileInfo, err error) bool {
	if errors.Is(err, fs.ErrNotExist) {
		return true
	}
	if err != nil {
		return w.lost(child.rel, filepath.Join(p.path, name), err)
	}
	return w.yield(fileRef(w.options.Name, pathname.Escape(child.rel), pathname.Escape(name), info), nil)
}

func fileRef(source, id, name string, info fs.FileInfo) pipeline.Ref {
	return pipeline.Ref{Source: source, ID: id, Name: name, Stamp: stamp(info)}
}

// enter lists a folder that the patterns and earlier visits leave.
func (w *walk) enter(p, child place, name string) bool {
	if matchAny(w.exclude, child.rel, name, true) {
		return true
	}
	if w.seen != nil {
		key := foldCase(child.real)
		if w.seen[key] {
			return true
		}
		w.seen[key] = true
	}
	child.included = child.included || matchFolders(w.include, child.rel, name)
	child.path = filepath.Join(p.path, name)
	return w.folder(child)
}

// link lists what a symbolic link points to. A link to nowhere is a document that can't be had, if the patterns want it.
func (w *walk) link(p, child place, name string) bool {
	path := filepath.Join(p.path, name)
	info, err := os.Stat(path)
	if err == nil {
		child.real, err = realPath(path)
	}
	switch {
	case err != nil:
		return !w.wanted(child, name) || w.lost(child.rel, path, err)
	case w.skip.has(filepath.Dir(child.real), filepath.Base(child.real)):
		return true
	case info.IsDir():
		return w.enter(p, child, name)
	case info.Mode().IsRegular():
		return w.regular(p, child, name, func() (fs.FileInfo, error) { return info, nil })
	}
	return true
}

// readDir reads the entries of a folder in lexical order. With an error it returns those that it read before.
func readDir(ctx context.Context, path string) ([]fs.DirEntry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var entries []fs.DirEntry
	for err == nil {
		var some []fs.DirEntry
		if some, err = f.ReadDir(readDirEntries); err == nil {
			err = ctx.Err()
		}
		entries = append(entries, some...)
	}
	if err == io.EOF {
		err = nil
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return entries, err
}
