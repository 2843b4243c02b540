package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// searchKey looks for the key in everything that the row left.
func (g *rig) searchKey() {
	secret := []byte(strings.TrimPrefix(g.key, keyPrefix))
	g.must(filepath.WalkDir(g.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		found, err := searchFile(path, secret)
		if found {
			g.leaked("the key is in %s", path)
		}
		g.result.searched++
		return err
	}))
}

// leaked notes a place where the key can be read.
func (g *rig) leaked(format string, args ...any) {
	g.result.leaks++
	g.fault(format, args...)
}

// searchFile reports whether a secret is in a file, or in a part of a workbook, which is packed.
func searchFile(path string, secret []byte) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	found, err := searchStream(f, secret)
	if found || err != nil || filepath.Ext(path) != ".xlsx" {
		return found, err
	}
	book, err := zip.OpenReader(path)
	if err != nil {
		return false, err
	}
	defer book.Close()
	for _, part := range book.File {
		r, err := part.Open()
		if err != nil {
			return false, err
		}
		found, err := searchStream(r, secret)
		if err = errors.Join(err, r.Close()); found || err != nil {
			return found, err
		}
	}
	return false, nil
}

// searchStream reads pieces that overlap by the length of the secret.
func searchStream(r io.Reader, secret []byte) (bool, error) {
	buf := make([]byte, 1<<20)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		if bytes.Contains(buf[:kept+n], secret) {
			return true, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		kept = copy(buf, buf[len(buf)-len(secret):])
	}
}
