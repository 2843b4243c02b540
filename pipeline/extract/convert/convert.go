// Package convert has other programs make a document of one that no reader reads: antiword of an old Word document, tesseract of a picture.
// They run without a shell, in a folder of their own, in bounded time and space, and know nothing of the environment of this process.
//
// It runs in docbatch itself and not in a reader's process: what it starts is a process already.
package convert

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// The bounds on one run of a program.
const (
	maxTime   = 60 * time.Second
	maxOutput = 64 << 20  // bytes of what it makes
	maxFolder = 256 << 20 // bytes of all that it writes, LibreOffice's profile for one
)

// A Command is a program with its arguments, to convert one document. In the arguments {in} stands for the file with the document, {out} for
// the file that the program writes, which may be followed by an extension, and {outdir} for an empty folder that it puts one file into. With neither
// of the latter it writes to its standard output. {tmp} stands for a folder for whatever else it writes.
type Command struct {
	Args []string

	or   *Command      // what to try when this one can't read a document
	time time.Duration // that a run may take; 0 for maxTime
}

// Check reports what is wrong with c: no program, no {in}, or more than one place for what it makes.
func (c Command) Check() error {
	if len(c.Args) == 0 || c.Args[0] == "" {
		return errors.New("no program is named")
	}
	if strings.Contains(c.Args[0], "{") {
		return fmt.Errorf("the program is %q; only the arguments may hold {in} and {out}", c.Args[0])
	}
	args := strings.Join(c.Args[1:], " ")
	if !strings.Contains(args, "{in}") {
		return fmt.Errorf("no argument of %s holds {in}, the file with the document", c.Args[0])
	}
	if strings.Contains(args, "{out}") && strings.Contains(args, "{outdir}") {
		return fmt.Errorf("the arguments of %s hold both {out} and {outdir}", c.Args[0])
	}
	return nil
}

// Run has the program convert data and gives what it made, at most 64 MiB, with the name of the file: only its extension says something.
// Of name too only the extension reaches the program, and only where it is one. The program has a minute.
//
// Errors are of class Invalid, but for ctx's: KindUnsupported where the program is not installed, KindDamaged with its words
// where it ends with an error or makes nothing, KindEncrypted where they say so, KindSlow, KindTooLarge. KindMachine is that of a folder that can't be made.
func (c Command) Run(ctx context.Context, name string, data []byte) (out []byte, outName string, err error) {
	for try := &c; try != nil; try = try.or {
		if out, outName, err = try.runOnce(ctx, name, data); err == nil || ctx.Err() != nil || isEncrypted(err) {
			break
		}
	}
	return out, outName, err
}

// isEncrypted reports whether a program has said so: another might take what is encrypted for text.
func isEncrypted(err error) bool {
	e, ok := errors.AsType[*pipeline.Error](err)
	return ok && e.Kind == pipeline.KindEncrypted
}

func (c Command) runOnce(ctx context.Context, name string, data []byte) (out []byte, outName string, err error) {
	if err := c.Check(); err != nil {
		return nil, "", content.Unsupported("%w", err)
	}
	program, err := exec.LookPath(c.Args[0])
	if err != nil {
		return nil, "", content.Unsupported("%s is not installed: %w", c.Args[0], err)
	}
	room, err := newFolder(extension(name), data)
	if err != nil {
		return nil, "", err
	}
	defer room.remove()
	if err := room.run(ctx, cmp.Or(c.time, maxTime), program, room.arguments(c.Args)); err != nil {
		return nil, "", err
	}
	return room.result(c)
}

var plainExtension = regexp.MustCompile(`^\.[A-Za-z0-9]{1,8}$`)

// extension is that of name where it is harmless.
func extension(name string) string {
	if ext := path.Ext(name); plainExtension.MatchString(ext) {
		return strings.ToLower(ext)
	}
	return ""
}

// A folder is where one program works: in.* is the document, out.* or the files in outdir what it makes, tmp what else it writes.
type folder struct {
	path string
	in   string
}

func newFolder(ext string, data []byte) (*folder, error) {
	tidy()
	dir, err := os.MkdirTemp("", folderPrefix) // only its owner may look into it
	if err != nil {
		return nil, machine("make a folder for the converter", err)
	}
	f := &folder{path: dir, in: filepath.Join(dir, "in"+ext)}
	for _, sub := range []string{"outdir", "tmp"} {
		err = errors.Join(err, os.Mkdir(filepath.Join(dir, sub), 0o700))
	}
	if err = errors.Join(err, os.WriteFile(f.in, data, 0o600)); err != nil {
		f.remove()
		return nil, machine("write the document for the converter", err)
	}
	return f, nil
}

const folderPrefix = "docbatch-convert-"

// stale is the age of a folder that nobody works in any more: no program runs for longer than a minute.
const stale = time.Hour

// tidy removes, once, what processes have left that were killed.
var tidy = sync.OnceFunc(func() { removeStale(os.TempDir()) })

// removeStale removes from dir the folders that nobody works in any more. What can't be removed, as another user's, stays.
func removeStale(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), folderPrefix) {
			continue
		}
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > stale {
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

// remove removes all. What a program has left that can't be removed stays in the folder for temporary files, which is the system's to clear.
func (f *folder) remove() { _ = os.RemoveAll(f.path) }

// arguments puts the paths into args, the program aside.
func (f *folder) arguments(args []string) []string {
	paths := strings.NewReplacer(
		"{in}", f.in,
		"{out}", filepath.Join(f.path, "out"),
		"{outdir}", filepath.Join(f.path, "outdir"),
		"{tmp}", filepath.Join(f.path, "tmp"),
	)
	out := slices.Clone(args[1:])
	for i := range out {
		out[i] = paths.Replace(out[i])
	}
	return out
}

// result reads what the program made.
func (f *folder) result(c Command) (out []byte, name string, err error) {
	made := []string{f.stdout()}
	switch args := strings.Join(c.Args, " "); {
	case strings.Contains(args, "{outdir}"):
		made, err = list(filepath.Join(f.path, "outdir"), "")
	case strings.Contains(args, "{out}"):
		made, err = list(f.path, "out")
	}
	switch {
	case err != nil:
		return nil, "", machine("look for what the converter made", err)
	case len(made) == 0:
		return nil, "", content.Damaged("%s made nothing of it%s", filepath.Base(c.Args[0]), f.said())
	case len(made) > 1:
		return nil, "", content.Damaged("%s made %d files of it, not one", filepath.Base(c.Args[0]), len(made))
	}
	out, err = readBounded(made[0])
	return out, "out" + filepath.Ext(made[0]), err
}

// list gives the files in dir whose names begin with prefix, folders aside.
func list(dir, prefix string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	var paths []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasPrefix(e.Name(), prefix) {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	return paths, err
}

// readBounded reads a regular file up to the bound. A link is not followed: a program that a document has taken over may have made it.
func readBounded(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, machine("read what the converter made", err)
	case !info.Mode().IsRegular():
		return nil, content.Damaged("the converter made something that is no file")
	case info.Size() > maxOutput:
		return nil, content.TooLarge("the converter makes more than %s of it (the bound on what it makes)", content.Bytes(maxOutput))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, machine("read what the converter made", err)
	}
	return b, nil
}
