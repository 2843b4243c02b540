package output

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The name of a temporary file is "." + the target's name + marker + 8 hex digits + suffix: ".out.csv.docbatch-1f2e3d4c.tmp".
// A scratch folder's has scratchSuffix in the place of suffix.
const (
	marker        = ".docbatch-"
	suffix        = ".tmp"
	scratchSuffix = ".d.tmp"
	digits        = 8
)

// Temporary reports whether name, without its folder, is one that this package gives to unfinished files and their
// scratch folders: ".*.docbatch-*.tmp".
func Temporary(name string) bool {
	i := strings.LastIndex(name, marker)
	if i < 1 || name[0] != '.' {
		return false
	}
	rest := name[i+len(marker):]
	if len(rest) < digits {
		return false
	}
	_, err := hex.DecodeString(rest[:digits])
	return err == nil && (rest[digits:] == suffix || rest[digits:] == scratchSuffix)
}

// maxNameBytes keeps a temporary name of a long target's name within the 255 bytes that file systems allow.
const maxNameBytes = 200

// stem is what all temporary names for target begin with.
func stem(target string) string {
	name := filepath.Base(target)
	if len(name) > maxNameBytes {
		name = strings.ToValidUTF8(name[:maxNameBytes], "")
	}
	return "." + name + marker
}

func scratchName(tmp string) string { return strings.TrimSuffix(tmp, suffix) + scratchSuffix }

// create makes a new temporary file for target and marks it as held by a live process. old is the file it will replace, or nil.
func create(target string, old fs.FileInfo) (*os.File, error) {
	perm := fs.FileMode(0o644)
	if old != nil {
		perm = 0o600 // never open to more people than the old one, not even before it has its mode
	}
	for {
		var random [digits / 2]byte
		_, _ = rand.Read(random[:]) // never fails, see its documentation
		name := filepath.Join(filepath.Dir(target), stem(target)+hex.EncodeToString(random[:])+suffix)
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if !hold(f) { // another process took it for a stale one before it was marked
			_ = f.Close()
			continue
		}
		if old != nil {
			err = inherit(f, old)
		}
		if err != nil {
			return nil, errors.Join(err, f.Close(), os.Remove(name))
		}
		return f, nil
	}
}

// sweep removes the temporary files for target that no live process holds, and their scratch folders. What can't be
// removed stays: it harms nobody.
func sweep(target string) {
	dir, err := os.Open(filepath.Dir(target))
	if err != nil {
		return
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(1024) // a folder of a million documents must not be in memory at once
		for _, name := range names {
			if strings.HasPrefix(name, stem(target)) && Temporary(name) {
				sweepOne(filepath.Join(dir.Name(), name))
			}
		}
		if err != nil || len(names) == 0 {
			return
		}
	}
}

func sweepOne(path string) {
	info, err := os.Lstat(path)
	if err != nil {
		return
	}
	owner, isScratch := strings.CutSuffix(path, scratchSuffix)
	switch {
	case isScratch && info.IsDir():
		if _, err := os.Lstat(owner + suffix); err == nil && !removeStale(owner+suffix) {
			return
		}
		_ = os.RemoveAll(path)
	case !isScratch && info.Mode().IsRegular():
		removeStale(path)
	}
}
