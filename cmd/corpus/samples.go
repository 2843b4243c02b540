package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A sample is a file of the corpus. The folder that it lies in names its format.
type sample struct {
	path   string
	format string
	size   int64
	hash   string // SHA-256 of the bytes, in hex
	truth  string // the right text, of one that we wrote
}

// formats is the order of the table; a folder of another name is left out.
var formats = []string{"pdf", "docx", "pptx", "xlsx", "odt", "ods", "odp", "rtf", "epub", "html", "eml", "mbox", "msg", "doc", "xls", "ppt", "csv", "txt", charset}

// readCorpus lists the files of all formats.
func readCorpus(dir string) ([]sample, error) {
	var samples []sample
	for _, format := range formats {
		err := filepath.WalkDir(filepath.Join(dir, format), func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			s, err := readSample(path, format)
			samples = append(samples, s)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return samples, nil
}

func readSample(path, format string) (sample, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return sample{}, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return sample{}, err
	}
	sum := sha256.Sum256(data)
	return sample{path: path, format: format, size: int64(len(data)), hash: hex.EncodeToString(sum[:])}, nil
}

// name is how a sample is called in what is printed.
func (s sample) name() string { return s.format + "/" + filepath.Base(s.path) }

// choose are the samples of the wanted formats, of all where none is wanted, whose name the pattern matches.
func choose(samples []sample, wanted []string, pattern *regexp.Regexp) []sample {
	return slices.DeleteFunc(slices.Clone(samples), func(s sample) bool {
		return len(wanted) > 0 && !slices.Contains(wanted, s.format) || !pattern.MatchString(s.name())
	})
}

// split cuts "pdf, docx" into its parts.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
