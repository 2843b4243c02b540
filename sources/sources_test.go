package sources

import (
	"archive/zip"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"docbatch/pipeline"
)

// inbox makes files, CSVs among them, in a new folder and makes that the current one. A path that ends in a slash is a folder.
func inbox(t *testing.T, paths ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, path := range paths {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "/") {
			continue
		}
		if err := os.WriteFile(path, []byte("id,text\n1,hello\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func specs(paths ...string) []Spec {
	var specs []Spec
	for _, path := range paths {
		path, name, _ := strings.Cut(path, "=")
		specs = append(specs, Spec{Path: path, Name: name})
	}
	return specs
}

func openAll(t *testing.T, specs []Spec) []pipeline.Source {
	t.Helper()
	srcs, err := OpenAll(t.Context(), specs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := closeAll(srcs); err != nil {
			t.Error(err)
		}
	})
	return srcs
}

// rowID is the ID of the row "1,hello", which every file of inbox has.
const rowID = "0f83efc2e87ba83a"

// docs are the sources and IDs of all the documents.
func docs(t *testing.T, srcs []pipeline.Source) []string {
	t.Helper()
	var docs []string
	for _, src := range srcs {
		for ref, err := range src.List(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, ref.Source+":"+ref.ID)
		}
	}
	return docs
}

func TestOpenAll(t *testing.T) {
	for _, tt := range []struct {
		name   string
		files  []string
		inputs []string
		want   []string
	}{
		{"folder", []string{"in/a.txt", "in/b/c.csv"}, []string{"in"}, []string{"in:a.txt", "in:b/c.csv"}},
		{"table", []string{"t.CSV"}, []string{"./t.CSV"}, []string{"t.CSV:" + rowID}},
		{"plain files share a source", []string{"a.txt", "in/b", "c.md"}, []string{"a.txt", "in", "c.md"}, []string{"files:a.txt", "files:c.md", "in:b"}},
		{"inputs are left out of folders", []string{"in/a.txt", "in/t.csv", "in/b.txt"}, []string{"in", "in/t.csv", "in/b.txt"},
			[]string{"in:a.txt", "t.csv:" + rowID, "files:in/b.txt"}},
		{"equal last elements", []string{"x/in/a", "y/in/b", "other/c"}, []string{"x/in", "other", "y/in"}, []string{"x/in:a", "other:c", "y/in:b"}},
		{"more equal elements", []string{"x/1/in/a", "y/1/in/b", "y/2/in/c"}, []string{"x/1/in", "y/1/in", "y/2/in"},
			[]string{"x/1/in:a", "y/1/in:b", "2/in:c"}},
		{"a folder called files", []string{"x/files/a", "b.txt"}, []string{"x/files", "b.txt"}, []string{"x/files:a", "files:b.txt"}},
		{"a name that is taken", []string{"x/in/a", "y/b"}, []string{"x/in", "y=in"}, []string{"x/in:a", "in:b"}},
		{"given names", []string{"x/in/a", "y/in/b", "c.txt", "d.txt"}, []string{"x/in=one", "y/in=two", "c.txt=three", "d.txt=three"},
			[]string{"one:a", "two:b", "three:c.txt", "three:d.txt"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inbox(t, tt.files...)
			if got := docs(t, openAll(t, specs(tt.inputs...))); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestArchives: an archive that is an input is the documents in it, chosen as those of a folder are; a folder with it leaves it out.
func TestArchives(t *testing.T) {
	inbox(t, "in/a.txt", "b.txt")
	for _, path := range []string{"in/c.zip", "d.zip"} {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w := zip.NewWriter(f)
		for _, name := range []string{"x.txt", "y.pdf", "t.csv"} {
			if _, err := w.Create(name); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	got := docs(t, openAll(t, []Spec{{Path: "in"}, {Path: "b.txt", Include: []string{"*.md"}}, {Path: "d.zip", Include: []string{"*.pdf"}},
		{Path: "in/c.zip", Exclude: []string{"*.csv"}}}))
	want := []string{"in:a.txt", "files:b.txt", "files:d.zip!/y.pdf", "files:in/c.zip!/x.txt", "files:in/c.zip!/y.pdf"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOpenAllErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		files  []string
		inputs []string
		want   string
	}{
		{"missing", []string{"a.txt"}, []string{"a.txt", "no.txt"}, "input no.txt: "},
		{"twice", []string{"in/a"}, []string{"in", "./in/../in"}, "input ./in/../in: named twice, first as in"},
		{"equal names", []string{"in/a", "b/c"}, []string{"in=x", "b=x"}, `input b: another input is called "x" too`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inbox(t, tt.files...)
			srcs, err := OpenAll(t.Context(), specs(tt.inputs...))
			if err == nil {
				closeAll(srcs)
				t.Fatal("no error")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
			if pipeline.ClassOf(err) != pipeline.Fatal {
				t.Errorf("class %s, want %s", pipeline.ClassOf(err), pipeline.Fatal)
			}
		})
	}
}

func TestOpenClosesOnError(t *testing.T) {
	inbox(t, "in/a", "t.csv")
	before := openFiles(t)
	if _, err := OpenAll(t.Context(), []Spec{{Path: "in"}, {Path: "t.csv", Key: "no such column"}}); err == nil {
		t.Fatal("no error")
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d files are open, want %d", after, before)
	}
}

// openFiles is how many files the process has open.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("this system does not say which files are open")
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestOpenXLSX(t *testing.T) {
	inbox(t)
	f := excelize.NewFile()
	if err := f.SetSheetRow("Sheet1", "A1", &[]string{"id", "text"}); err != nil {
		t.Fatal(err)
	}
	if err := f.SetSheetRow("Sheet1", "A2", &[]string{"7", "hello"}); err != nil {
		t.Fatal(err)
	}
	if err := f.SaveAs("book.xlsx"); err != nil {
		t.Fatal(err)
	}
	src, err := Open(t.Context(), Spec{Path: "book.xlsx", Key: "id"})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if got, want := docs(t, []pipeline.Source{src}), []string{"book.xlsx:7"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestRead(t *testing.T) {
	inbox(t, "in/a.txt", "t.csv")
	srcs := openAll(t, specs("in", "t.csv"))
	step := NewRead(srcs)
	if step.Name() != "read" {
		t.Errorf("the step is called %q", step.Name())
	}
	for _, tt := range []struct{ source, data, text string }{
		{"in", "id,text\n1,hello\n", ""},
		{"t.csv", "", "id: 1\ntext: hello"},
	} {
		for _, src := range srcs {
			if src.Name() != tt.source {
				continue
			}
			for ref := range src.List(t.Context()) {
				var doc pipeline.Document
				if err := step.Do(t.Context(), &doc, &pipeline.Record{Ref: ref}); err != nil {
					t.Fatal(err)
				}
				if string(doc.Data) != tt.data || strings.TrimSpace(doc.Text) != tt.text || doc.ID != ref.ID {
					t.Errorf("%s: got %+v", tt.source, doc)
				}
			}
		}
	}
	var doc pipeline.Document
	err := step.Do(t.Context(), &doc, &pipeline.Record{Ref: pipeline.Ref{Source: "gone", ID: "x"}})
	if err == nil || !strings.Contains(err.Error(), `the job has no input called "gone"`) || pipeline.ClassOf(err) != pipeline.Invalid {
		t.Errorf("unknown source: %v", err)
	}
	if err := os.Remove("in/a.txt"); err != nil {
		t.Fatal(err)
	}
	err = step.Do(t.Context(), &doc, &pipeline.Record{Ref: pipeline.Ref{Source: "in", ID: "a.txt"}})
	if pipeline.ClassOf(err) != pipeline.Invalid {
		t.Errorf("removed document: %v", err)
	}
}
