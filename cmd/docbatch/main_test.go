package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"docbatch/pipeline/agent/demo"
)

// asMain makes the test binary be docbatch itself, for tests that start it as a process.
const asMain = "DOCBATCH_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		main()
	}
	if latency := os.Getenv(asServer); latency != "" {
		d, err := time.ParseDuration(latency)
		if err != nil {
			panic(err)
		}
		serveBench(d)
		return
	}
	testscript.Main(suite{m}, map[string]func(){"docbatch": main})
}

// A suite is all tests of the package, which keep what docbatch compiles in one folder: to compile PDFium takes seconds. The Makefile names one
// for several packages.
type suite struct{ *testing.M }

func (s suite) Run() int {
	dir := os.Getenv("DOCBATCH_TEST_CACHE")
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "docbatch-test-*"); err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
	}
	if err := os.Setenv("XDG_CACHE_HOME", dir); err != nil {
		panic(err)
	}
	return s.M.Run()
}

// compilePDFium has it compiled, where it is not. Under the race detector that takes more memory than a document may.
func compilePDFium(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	writeFile(t, dir, "first.pdf", "%PDF-1.7")
	if err := process(dir, "extract", "first.pdf").Run(); err == nil {
		t.Fatal("first.pdf was read, and there is nothing in it")
	}
}

// TestScripts runs the command line as a person does; the scripts read as a manual.
func TestScripts(t *testing.T) {
	compilePDFium(t)
	testscript.Run(t, testscript.Params{
		Dir:  "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "zip": zipFiles, "bytes": writeBytes},
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_CACHE_HOME", os.Getenv("XDG_CACHE_HOME"))
			inbox, err := filepath.Abs("../../testdata/inbox")
			e.Setenv("INBOX", inbox)
			return err
		},
	})
}

// exits runs a command that must end with an exit code: exits CODE COMMAND...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// takesLong leaves a test out of -short, which is for the race detector: it is slow on a program that is started again and again, and
// the tests that stay start it in every way that these do.
func takesLong(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it starts the program many times")
	}
}

// process is docbatch as a process of its own.
func process(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asMain+"=1", keyVariable+"="+testKey)
	return cmd
}

// testKey is the key in these tests. It must never be seen anywhere.
const testKey = "sk-canary-5f3a9e"

// startAgent starts a demo agent for a test and returns its base URL.
func startAgent(tb testing.TB, o demo.Options) (baseURL string) {
	tb.Helper()
	url, stop, err := demo.New(o).Start("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := stop(); err != nil {
			tb.Error(err)
		}
	})
	return url
}

// writeDocuments writes n small documents, each with a marker that its answer will repeat.
func writeDocuments(tb testing.TB, n int) (dir string) {
	tb.Helper()
	dir = tb.TempDir()
	for i := range n {
		text := fmt.Sprintf("Report %s\n\nThe %s shipment left the harbour on Monday. It is expected on Friday. Nothing else is known.\n", marker(i), marker(i))
		if err := os.WriteFile(filepath.Join(dir, documentName(i)), []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	return dir
}

func documentName(i int) string { return fmt.Sprintf("%05d.txt", i) }

func marker(i int) string { return fmt.Sprintf("mark%05dmark", i) }

// writeRows writes a CSV of n rows with an ID, a marker and about size bytes of text.
func writeRows(tb testing.TB, n, size int) (path string) {
	tb.Helper()
	path = filepath.Join(tb.TempDir(), "rows.csv")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	fmt.Fprintln(f, "id,mark,text")
	filler := sentences(size)
	for i := range n {
		fmt.Fprintf(f, "%d,%s,%q\n", i, marker(i), filler)
	}
	if err := f.Close(); err != nil {
		tb.Fatal(err)
	}
	return path
}

// sentences is a text of so many bytes.
func sentences(size int) string {
	const one = "The goods were checked and found to be complete. "
	return strings.Repeat(one, size/len(one)+1)[:size]
}

// readCSV reads an output, by column name.
func readCSV(tb testing.TB, path string) []map[string]string {
	tb.Helper()
	f, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	header, err := r.Read()
	if err != nil {
		tb.Fatal(err)
	}
	var rows []map[string]string
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return rows
		}
		if err != nil {
			tb.Fatal(err)
		}
		row := map[string]string{}
		for i, name := range header {
			row[name] = rec[i]
		}
		rows = append(rows, row)
	}
}
