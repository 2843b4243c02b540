package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"docbatch/pipeline"
	"docbatch/sources/archive"
	"docbatch/sources/pathname"
)

func newShelf(maxBytes int64) *archive.Shelf {
	return archive.NewShelf(archive.Options{MaxBytes: maxBytes, Stamp: stamp})
}

// archiveOf is the ID of the archive that lies in no other, for the ID of a member.
func archiveOf(id string) (archiveID string, isMember bool) {
	archiveID, _, isMember = strings.Cut(id, archive.Border)
	return archiveID, isMember
}

// An archived is a file that has the name of an archive.
type archived struct {
	shelf *archive.Shelf
	in    files
	name  string // by which it is found in in
	path  string // for messages
	id    string
}

func (a archived) open() (archive.File, error) {
	f, err := openRegular(a.in, a.name)
	return archive.File{ID: a.id, Path: pathname.Display(a.path), In: f}, err
}

// read reads a member, anew where the archive changes meanwhile.
func (a archived) read(ctx context.Context, member string) ([]byte, error) {
	return again(ctx, func() ([]byte, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, err := a.open()
		if err != nil {
			return nil, err
		}
		if young(f.In) {
			f.In.Close()
			return nil, errChanged
		}
		data, err := a.shelf.Read(ctx, f, member)
		if errors.Is(err, archive.ErrChanged) {
			err = errChanged
		}
		return data, err
	})
}

// young reports whether a file was changed so lately that another change now could have the same time.
func young(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && time.Since(info.ModTime()).Abs() < clockTick
}

// list lists the members. An error is archive.ErrNotArchive for a file that is a document itself, fs.ErrNotExist for one that is gone, or
// ends the whole listing; what is wrong with the file alone is a ref.
func (a archived) list(ctx context.Context, source string, wanted archive.Wanted) ([]pipeline.Ref, error) {
	f, err := a.open()
	var members []archive.Member
	if err == nil {
		members, err = a.shelf.List(ctx, f, wanted)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case lacking(err):
		return nil, machineError(a.path, err)
	case errors.Is(err, archive.ErrNotArchive), errors.Is(err, fs.ErrNotExist):
		return nil, err
	default:
		return []pipeline.Ref{lostRef(source, a.id, a.path, err)}, nil
	}
	refs := make([]pipeline.Ref, len(members))
	for i, m := range members {
		refs[i] = pipeline.Ref{Source: source, ID: m.ID, Name: lastElement(m.ID), Stamp: m.Stamp, Err: m.Err}
	}
	return refs, nil
}

// A sieve is a filter for the members of one archive, which stand for files in folders: the archives and what is in these.
type sieve struct {
	filter
	id       string // of the archive
	rel      string // what patterns see before the path of a member
	included bool   // a pattern includes all that is in the archive

	// What was found of the folder that was asked for last: most members lie in that of the one before.
	dir        string
	listed, in bool
}

func newSieve(f filter, id, rel string, included bool) *sieve {
	return &sieve{filter: f, id: id, rel: rel, included: included, listed: true, in: included}
}

// wanted is an archive.Wanted.
func (s *sieve) wanted(id string, isArchive bool) bool {
	dir, name := path.Split(id[len(s.id)+len(archive.Border):])
	if dir != s.dir {
		s.dir = dir
		s.listed, s.in = s.enter(dir)
	}
	name = pathname.Unescape(name)
	rel := s.rel + pathname.Unescape(dir) + name
	if !s.listed || s.unlisted(name) || matchAny(s.exclude, rel, name, isArchive) {
		return false
	}
	return isArchive || s.in || s.includes(rel, name)
}

// enter says of a folder in an archive, whose path ends in a slash, whether it is listed, and whether all in it is included.
func (s *sieve) enter(dir string) (listed, included bool) {
	included = s.included
	for i := range len(dir) {
		if dir[i] != '/' {
			continue
		}
		inner, isArchive := strings.CutSuffix(dir[:i], strings.TrimSuffix(archive.Border, "/"))
		name := pathname.Unescape(path.Base(inner))
		rel := s.rel + pathname.Unescape(inner)
		if s.unlisted(name) || matchAny(s.exclude, rel, name, true) {
			return false, false
		}
		included = included || matchFolders(s.include, rel, name) || isArchive && matchAny(s.include, rel, name, false)
	}
	return true, included
}
