package main

import (
	"archive/zip"
	"bufio"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A bomb is a small file that asks for much memory or time, or for what a reader would never finish.
type bomb struct {
	name    string // of the file
	refusal string // it must be refused, in words that hold these; "" where it may be read
	write   func(w io.Writer) error
	size    int64 // that the file is then made, with zeros that take no room on the disk; 0 for as it is
}

// bombs are all kinds that the issue and EXTRACTION.md name, and some that they leave to the imagination.
func bombs() []bomb {
	return slices.Concat(officeBombs(), archiveBombs(), webBombs(), textBombs(), mailBombs(), outlookBombs(), pdfBombs())
}

// writeBomb makes the file.
func writeBomb(dir string, b bomb) (path string, err error) {
	path = filepath.Join(dir, b.name)
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriter(f)
	if err = b.write(w); err == nil {
		err = w.Flush()
	}
	if err == nil && b.size > 0 {
		err = f.Truncate(b.size)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return path, err
}

// A piece writes a part of a bomb.
type piece func(w io.Writer) error

// text is a piece of words.
func text(words string) piece {
	return func(w io.Writer) error { _, err := io.WriteString(w, words); return err }
}

// many is a piece n times over.
func many(words string, n int) piece {
	return func(w io.Writer) error {
		block := strings.Repeat(words, min(n, 1+64<<10/len(words)))
		for ; n > 0; n -= len(block) / len(words) {
			if _, err := io.WriteString(w, block[:min(n*len(words), len(block))]); err != nil {
				return err
			}
		}
		return nil
	}
}

// numbered is a piece of n lines that differ by their number, from 1.
func numbered(format string, n int) piece {
	return func(w io.Writer) error {
		for i := range n {
			if _, err := fmt.Fprintf(w, format, i+1); err != nil {
				return err
			}
		}
		return nil
	}
}

// all is one piece after the other.
func all(pieces ...piece) func(io.Writer) error {
	return func(w io.Writer) error {
		for _, p := range pieces {
			if err := p(w); err != nil {
				return err
			}
		}
		return nil
	}
}

// A part is an entry of a ZIP.
type part struct {
	name string
	piece
}

// zipped is a ZIP of parts.
func zipped(parts ...part) func(io.Writer) error {
	return func(w io.Writer) error {
		archive := zip.NewWriter(w)
		packer, err := flate.NewWriter(nil, flate.BestCompression)
		if err != nil {
			return err
		}
		archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
			packer.Reset(w)
			return packer, nil
		})
		for _, p := range parts {
			entry, err := archive.Create(p.name)
			if err != nil {
				return err
			}
			if err := p.piece(entry); err != nil {
				return err
			}
		}
		return archive.Close()
	}
}
