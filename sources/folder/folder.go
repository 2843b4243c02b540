// Package folder is the source of documents that are files: all those of a folder and the folders in it (Source), or single
// ones named by a person (Files).
//
// It reads regular files and nothing else, never outside the folder, and knows nothing of what is in them, but that archives
// are folders: their members are documents (see package archive).
package folder

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"docbatch/pipeline"
	"docbatch/sources/archive"
	"docbatch/sources/pathname"
)

// DefaultMaxBytes is the bound on a document's size where Options do not say otherwise.
const DefaultMaxBytes = 32 << 20

// Options say which files of a folder are documents.
//
// Patterns are those of doublestar ("*", "**", "?", "[a-z]", "{a,b}") on the slash-separated path from the root. One without a slash is
// matched with the last element of the path at any depth; one that begins with a slash only at the root; one that ends in
// a slash matches folders only, and then all that is in them. An archive is a folder to them: "*.pdf" takes dump.zip!/letters/7.pdf,
// which "dump.zip", "dump.zip!/letters/*" and "letters/" take too.
type Options struct {
	Name string // of the source; "" for the last element of Root
	Root string // the folder

	Include []string // only files that one of these matches; none means all
	Exclude []string // no file or folder that one of these matches; wins over Include

	// Hidden includes files and folders whose name begins with a dot. Lock files of office programs ("~$letter.docx",
	// ".~lock.letter.odt#") and unfinished outputs of docbatch itself are left out all the same.
	Hidden bool

	// FollowSymlinks takes what a symbolic link points to as if it were there, wherever it is: each real folder once, under
	// the first path that leads to it, so that loops end. Without it links are left out.
	FollowSymlinks bool

	// Skip are files and folders that are never listed, whichever path leads to them: the job's own state, its outputs,
	// its other inputs. They need not exist.
	Skip []string

	MaxBytes int64 // bound on a document's size; 0 for DefaultMaxBytes
}

// A Source is the files of a folder, in the lexical order of their path's elements.
//
// The ID of a document is its slash-separated path from the root, as pathname.Escape writes it; for a member of an archive see package
// archive. Its stamp is made of size, times of change, and permissions; a member's, of size and bytes.
type Source struct {
	filter
	options  Options
	root     *os.Root
	realRoot string // without symbolic links, absolute
	skip     skipSet
	shelf    *archive.Shelf
}

var _ pipeline.Source = (*Source)(nil)

// Open makes the source of a folder. It is an error of class Fatal if the folder is not there, is none or can't be read, or if a pattern
// is malformed.
func Open(o Options) (*Source, error) {
	info, err := os.Stat(o.Root)
	if err == nil && !info.IsDir() {
		err = errNotFolder
	}
	if err != nil {
		return nil, fatal("open folder", o.Root, err)
	}
	s := &Source{options: o}
	if s.filter, err = newFilter(o.Include, o.Exclude, o.Hidden); err != nil {
		return nil, err
	}
	if s.realRoot, err = realPath(o.Root); err != nil {
		return nil, fatal("open folder", o.Root, err)
	}
	if s.skip, err = newSkipSet(o.Skip); err != nil {
		return nil, err
	}
	if s.options.Name == "" {
		s.options.Name = pathname.Escape(filepath.Base(s.realRoot))
	}
	if s.options.MaxBytes <= 0 {
		s.options.MaxBytes = DefaultMaxBytes
	}
	if s.root, err = os.OpenRoot(o.Root); err != nil {
		return nil, fatal("open folder", o.Root, err)
	}
	s.shelf = newShelf(s.options.MaxBytes)
	return s, nil
}

// Name is Options.Name.
func (s *Source) Name() string { return s.options.Name }

// Columns is nil: files have no fields.
func (s *Source) Columns() []string { return nil }

// List yields the files as they are found; see pipeline.Source. A folder in it that can't be read is a ref whose ID ends in a slash;
// without the root itself the listing ends with an error of class Fatal. Memory
// depends on the largest single folder, and with FollowSymlinks on the number of folders.
func (s *Source) List(ctx context.Context) iter.Seq2[pipeline.Ref, error] {
	return func(yield func(pipeline.Ref, error) bool) {
		w := &walk{Source: s, ctx: ctx, yield: yield}
		if s.options.FollowSymlinks {
			w.seen = map[string]bool{foldCase(s.realRoot): true}
		}
		w.folder(place{path: filepath.Clean(s.options.Root), real: s.realRoot})
	}
}

// Open reads a file, or a member of an archive, of at most Options.MaxBytes. An error is of class Invalid: KindRead for a file that is gone,
// not readable, not regular or outside the folder, KindTooLarge for one over the bound, and what package archive has for members; but Transient
// where a later try may do better: the file changed each of the three times that it was read, the disk or the network failed. It is of
// class Fatal, KindMachine, where this machine lacks file descriptors, memory, or room for the members of an archive.
func (s *Source) Open(ctx context.Context, ref pipeline.Ref) (*pipeline.Document, error) {
	id, isMember := archiveOf(ref.ID)
	local := filepath.FromSlash(pathname.Unescape(id))
	path := filepath.Join(s.options.Root, local)
	if !filepath.IsLocal(local) {
		return nil, pipeline.Errorf(pipeline.Invalid, pipeline.KindRead, "open %s: not inside %s", ref.ID, s.options.Root)
	}
	var data []byte
	var err error
	if isMember {
		data, err = s.archived(local, id).read(ctx, ref.ID)
	} else {
		in, name := s.at(local)
		data, err = read(ctx, in, name, s.options.MaxBytes)
	}
	if err != nil {
		return nil, failure(ctx, path, err)
	}
	return &pipeline.Document{Ref: ref, Path: path, Data: data}, nil
}

func (s *Source) archived(local, id string) archived {
	in, name := s.at(local)
	return archived{shelf: s.shelf, in: in, name: name, path: filepath.Join(s.options.Root, local), id: id}
}

// at is where a file is looked up, and by which name: below the root, where links are not followed out of it.
func (s *Source) at(local string) (files, string) {
	if s.options.FollowSymlinks {
		return anywhere{}, filepath.Join(s.options.Root, local)
	}
	return s.root, local
}

// Close lets go of the folder and its archives.
func (s *Source) Close() error { return errors.Join(s.shelf.Close(), s.root.Close()) }

// skipSet are real paths, and their last elements, by which nearly every file is passed without building its path.
type skipSet struct {
	paths map[string]bool
	names map[string]bool
}

func newSkipSet(paths []string) (skipSet, error) {
	set := skipSet{map[string]bool{}, map[string]bool{}}
	for _, path := range paths {
		real, err := realPath(path)
		if err != nil {
			return skipSet{}, fatal("leave out", path, err)
		}
		parent, err := realPath(filepath.Dir(path))
		if err != nil {
			return skipSet{}, fatal("leave out", path, err)
		}
		// The link is left out as well as what it points to.
		for _, p := range slices.Compact([]string{real, filepath.Join(parent, filepath.Base(path))}) {
			set.paths[foldCase(p)] = true
			set.names[foldCase(filepath.Base(p))] = true
		}
	}
	return set, nil
}

// has reports whether the file called name in the real folder dir is in the set.
func (s skipSet) has(dir, name string) bool {
	return s.names[foldCase(name)] && s.paths[foldCase(filepath.Join(dir, name))]
}

// realPath is path, absolute and without symbolic links, as far as it exists.
func realPath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	parent := filepath.Dir(path)
	if err == nil || parent == path {
		return real, err
	}
	if parent, err = realPath(parent); err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(path)), nil
}
