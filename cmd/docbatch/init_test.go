package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestInitExtract takes the section on reading documents at its word: without its comment signs it is one.
func TestInitExtract(t *testing.T) {
	_, section, ok := strings.Cut(initJobFile, "\n# extract:\n")
	section, _, _ = strings.Cut(section, "\n\n")
	if !ok {
		t.Fatal("the job file of docbatch init has no section extract")
	}
	path := filepath.Join(t.TempDir(), "docbatch.yaml")
	if err := os.WriteFile(path, []byte("extract:\n"+strings.ReplaceAll("\n"+section, "\n# ", "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	jf, err := readJobFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x := jf.Extract
	if x.Images != "ocr" || x.Languages != "deu+fra" || time.Duration(x.Timeout) != 45*time.Second || len(x.Passwords) != 1 || x.PasswordsFile == "" {
		t.Errorf("the section: got %+v, want every key set", x)
	}
	got, err := (&settings{}).converters(x.Converters)
	if errors.Is(err, exec.ErrNotFound) {
		return // the example names a program that is not installed here
	}
	if err != nil || len(got) != 1 {
		t.Errorf("its converters: got %v, error %v; want one", got, err)
	}
}
