package main

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestDoctorExtract looks for the programs that read documents.
func TestDoctorExtract(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no scripts")
	}
	inbox := writeDocuments(t, 1)
	for _, tt := range []struct {
		name     string
		programs []string
		flags    []string
		status   string
		want     []string
	}{
		{"none", nil, nil, statusOK, []string{
			"not read: pictures and scans (install tesseract); DOC (install antiword or libreoffice or catdoc); XLS, PPT (install libreoffice or catdoc); ", "DjVu (install djvulibre-bin)"}},
		{"some", []string{"tesseract", "soffice"}, nil, statusOK, []string{
			"read by other programs: pictures and scans by tesseract (deu, eng); DOC, XLS, PPT, XLSB, WordPerfect", "by soffice; not read: PostScript (install ghostscript); DjVu"}},
		{"a language", []string{"tesseract"}, []string{"--ocr-languages", "deu+eng"}, statusOK, []string{"by tesseract (deu, eng)"}},
		{"a language that is not there", []string{"tesseract"}, []string{"--ocr-languages", "deu+fra"}, statusError, []string{`no data for "fra"; it has deu, eng`}},
		{"a language, and nothing to read it", nil, []string{"--ocr-languages", "deu"}, statusWarning, []string{"OCR is to expect deu, and there is none; not read: pictures and scans (install tesseract)"}},
		{"pictures are shown", nil, []string{"--images", "attach", "--ocr-languages", "deu"}, statusOK, []string{"pictures and scans by an agent that sees; not read: DOC"}},
		{"pictures are left", []string{"tesseract"}, []string{"--images", "none"}, statusOK, []string{"not read: pictures and scans (images: none)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("PATH", dir)
			for _, program := range tt.programs {
				if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\nprintf 'List:\\ndeu\\neng\\n'\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			found, _ := examine(t, append([]string{"--demo", "--state", filepath.Join(dir, "job.db"), inbox}, tt.flags...)...)
			i := slices.IndexFunc(found, func(f finding) bool { return f.Check == "extract" })
			if i < 0 {
				t.Fatalf("nothing is found of it: %+v", found)
			}
			if found[i].Status != tt.status {
				t.Errorf("status %s, want %s", found[i].Status, tt.status)
			}
			for _, words := range tt.want {
				if !strings.Contains(found[i].Found, words) {
					t.Errorf("%q is not in %q", words, found[i].Found)
				}
			}
		})
	}
}

// TestDoctorExtractConverter has a job file name a program.
func TestDoctorExtractConverter(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeFile(t, dir, "job.yaml", "inputs: [in.txt]\nextract:\n  converters:\n    .bin: ["+program+", \"{in}\"]\n")
	writeFile(t, dir, "in.txt", "hello")
	found, _ := examine(t, "--demo", "-f", filepath.Join(dir, "job.yaml"))
	if i := slices.IndexFunc(found, func(f finding) bool {
		return f.Check == "extract" && strings.Contains(f.Found, ".bin by "+filepath.Base(program)+", as the job file says")
	}); i < 0 {
		t.Errorf("the converter is not told of: %+v", found)
	}
}
