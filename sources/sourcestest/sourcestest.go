// Package sourcestest is the suite that every pipeline.Source must pass.
package sourcestest

import (
	"context"
	"errors"
	"os"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"docbatch/pipeline"
)

// lateRefs is how many refs a source may still yield after its context ended: what it had read already.
const lateRefs = 100

// Test checks that sources keep the promises of pipeline.Source. open is called several times and opens each time the same input, which
// does not change, with at least three documents that can be had; where it has some that can't, one that can must come
// after them. The source is closed by Test.
func Test(t *testing.T, open func(t *testing.T) pipeline.Source) {
	t.Helper()
	for _, c := range []struct {
		name  string
		check func(t *testing.T, open func(t *testing.T) pipeline.Source)
	}{
		{"refs are whole and unique", checkRefs},
		{"lost documents do not end the listing", checkLost},
		{"every listing is the same", checkStable},
		{"documents open", checkOpen},
		{"documents open in a later run", checkOpenLater},
		{"documents open while listing", checkConcurrent},
		{"a context that has ended", checkEnded},
		{"a context that ends while listing", checkEnding},
		{"breaking off leaks nothing", checkBreak},
	} {
		t.Run(c.name, func(t *testing.T) { c.check(t, open) })
	}
}

// opened opens a source that is closed when the test ends.
func opened(t *testing.T, open func(t *testing.T) pipeline.Source) pipeline.Source {
	t.Helper()
	src := open(t)
	t.Cleanup(func() {
		if err := src.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return src
}

// list is the whole listing of src.
func list(t *testing.T, src pipeline.Source) []pipeline.Ref {
	t.Helper()
	var refs []pipeline.Ref
	good := 0
	for ref, err := range src.List(t.Context()) {
		if err != nil {
			t.Fatalf("List after %d refs: %v", len(refs), err)
		}
		if ref.Err == nil {
			good++
		}
		refs = append(refs, ref)
	}
	if good < 3 {
		t.Fatalf("%d documents without Err are too few for these tests, want at least 3", good)
	}
	return refs
}

func checkRefs(t *testing.T, open func(t *testing.T) pipeline.Source) {
	src := opened(t, open)
	if src.Name() == "" {
		t.Error("the source has no name")
	}
	seen := map[string]bool{}
	for _, ref := range list(t, src) {
		if ref.Source != src.Name() {
			t.Errorf("ref %q: source %q, want %q", ref.ID, ref.Source, src.Name())
		}
		if ref.ID == "" || seen[ref.ID] {
			t.Errorf("ref %q: the ID is empty or not unique", ref.ID)
		}
		seen[ref.ID] = true
		if ref.Name == "" || ref.Err == nil && ref.Stamp == "" {
			t.Errorf("ref %q: name %q, stamp %q, want both", ref.ID, ref.Name, ref.Stamp)
		}
		if !utf8.ValidString(ref.ID) || !utf8.ValidString(ref.Name) {
			t.Errorf("ref %q: ID or name %q is not UTF-8", ref.ID, ref.Name)
		}
		checkFields(t, src, ref)
	}
}

// checkFields compares the fields of a row with the columns of the source. A row that can't be had may be without.
func checkFields(t *testing.T, src pipeline.Source, ref pipeline.Ref) {
	t.Helper()
	if ref.Err != nil {
		return
	}
	var names []string
	for _, f := range ref.Fields {
		names = append(names, f.Name)
		if !utf8.ValidString(f.Value) {
			t.Errorf("ref %q: field %s is not UTF-8: %q", ref.ID, f.Name, f.Value)
		}
	}
	if columns := src.Columns(); !reflect.DeepEqual(names, columns) && len(names)+len(columns) > 0 {
		t.Errorf("ref %q: fields %q, want the columns %q", ref.ID, names, columns)
	}
	if (ref.Row > 0) != (len(ref.Fields) > 0) {
		t.Errorf("ref %q: row %d with %d fields", ref.ID, ref.Row, len(ref.Fields))
	}
}

func checkLost(t *testing.T, open func(t *testing.T) pipeline.Source) {
	var lost []string
	goodAfter := false
	for _, ref := range list(t, opened(t, open)) {
		goodAfter = ref.Err == nil
		if ref.Err == nil {
			continue
		}
		lost = append(lost, ref.ID)
		if ref.Err.Class != pipeline.Invalid || ref.Err.Kind == "" || ref.Err.Err == nil {
			t.Errorf("ref %q: Err is %+v, want class invalid, a kind and a cause", ref.ID, ref.Err)
		}
	}
	if len(lost) > 0 && !goodAfter {
		t.Errorf("no document without Err comes after the last of %q", lost)
	}
}

func checkStable(t *testing.T, open func(t *testing.T) pipeline.Source) {
	src := opened(t, open)
	first := list(t, src)
	for name, again := range map[string]pipeline.Source{"second listing": src, "another source": opened(t, open)} {
		refs := list(t, again)
		if len(refs) != len(first) {
			t.Fatalf("%s: %d refs, want %d", name, len(refs), len(first))
		}
		for i := range refs {
			if got, want := plainly(refs[i]), plainly(first[i]); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: ref %d is %+v, want %+v", name, i, got, want)
			}
		}
	}
}

// A plainRef is a ref whose Err is its message.
type plainRef struct {
	pipeline.Ref
	message string
}

func plainly(ref pipeline.Ref) plainRef {
	p := plainRef{Ref: ref}
	if ref.Err != nil {
		p.message, p.Err = ref.Err.Error(), nil
	}
	return p
}

func checkOpen(t *testing.T, open func(t *testing.T) pipeline.Source) {
	src := opened(t, open)
	openAll(t, src, list(t, src))
}

func checkOpenLater(t *testing.T, open func(t *testing.T) pipeline.Source) {
	refs := list(t, opened(t, open))
	openAll(t, opened(t, open), refs) // this one was never listed
}

// openAll opens every document that can be had.
func openAll(t *testing.T, src pipeline.Source, refs []pipeline.Ref) {
	t.Helper()
	for _, ref := range refs {
		if ref.Err != nil {
			continue
		}
		doc, err := src.Open(t.Context(), ref)
		if err != nil {
			t.Errorf("Open %q: %v", ref.ID, err)
			continue
		}
		if !reflect.DeepEqual(doc.Ref, ref) {
			t.Errorf("Open %q: the document carries the ref %+v, want %+v", ref.ID, doc.Ref, ref)
		}
		if doc.Path == "" {
			t.Errorf("Open %q: no path", ref.ID)
		}
		if ref.Row > 0 && doc.Data != nil {
			t.Errorf("Open %q: a row with %d bytes of data", ref.ID, len(doc.Data))
		}
		if !utf8.ValidString(doc.Text) || strings.Contains(doc.Text, "\x00") {
			t.Errorf("Open %q: text %q is not UTF-8 or has a NUL", ref.ID, doc.Text)
		}
	}
}

func checkConcurrent(t *testing.T, open func(t *testing.T) pipeline.Source) {
	src := opened(t, open)
	refs := list(t, src)
	var wg sync.WaitGroup
	defer wg.Wait()
	for range 8 {
		wg.Go(func() { openAll(t, src, refs) })
	}
	n := 0
	for _, err := range src.List(t.Context()) {
		if err != nil {
			t.Errorf("List while opening: %v", err)
		}
		n++
	}
	if n != len(refs) {
		t.Errorf("List while opening: %d refs, want %d", n, len(refs))
	}
}

func checkEnded(t *testing.T, open func(t *testing.T) pipeline.Source) {
	src := opened(t, open)
	refs := list(t, src)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for ref, err := range src.List(ctx) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("List: %q, %v, want %v and nothing else", ref.ID, err, context.Canceled)
			break
		}
	}
	for _, ref := range refs {
		if ref.Err != nil {
			continue
		}
		if _, err := src.Open(ctx, ref); !errors.Is(err, context.Canceled) || pipeline.ClassOf(err) != pipeline.Internal {
			t.Errorf("Open %q: %v, want %v without a class", ref.ID, err, context.Canceled)
		}
		break
	}
}

func checkEnding(t *testing.T, open func(t *testing.T) pipeline.Source) {
	src := opened(t, open)
	total := len(list(t, src))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range src.List(ctx) {
		if last != nil {
			t.Fatalf("List goes on after its error %v", last)
		}
		cancel()
		n++
		last = err
	}
	if n > lateRefs+1 {
		t.Errorf("%d refs after the end of the context, want at most %d", n-1, lateRefs)
	}
	if n < total && !errors.Is(last, context.Canceled) {
		t.Errorf("List ended after %d of %d refs with %v, want %v", n, total, last, context.Canceled)
	}
}

// checkBreak runs in a bubble, which does not end before its goroutines do.
func checkBreak(t *testing.T, open func(t *testing.T) pipeline.Source) {
	synctest.Test(t, func(t *testing.T) {
		src := opened(t, open)
		total := len(list(t, src))
		before := openFiles(t)
		for range 3 {
			for range src.List(t.Context()) {
				break
			}
		}
		synctest.Wait()
		if after := openFiles(t); after > before {
			t.Errorf("%d files are open after breaking off, %d were before", after, before)
		}
		if n := len(list(t, src)); n != total {
			t.Errorf("%d refs after breaking off, want %d", n, total)
		}
	})
}

// openFiles is how many files the process has open; 0 where the system does not say.
func openFiles(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
