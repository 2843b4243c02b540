// Command corpus reads a corpus of real documents with docbatch extract and compares the words with those that other programs find:
// pdftotext, pandoc, LibreOffice, python-pptx, Python's email package and msgconvert. Their texts are kept in the user's cache.
//
//	go run ./cmd/corpus                            the table by format, and the worst ten files of each
//	go run ./cmd/corpus -format pdf,docx -worst 3  some formats
//	go run ./cmd/corpus -run 'pypdf__' -v          some files, each with the words that are missing and those that are too many
//	go run ./cmd/corpus -bombs                     small files that ask for too much, made for it: time, memory and what is said of each
//	go run ./cmd/corpus -mutants 500 -format docx  files of the corpus with a damage each: no crash, no hang, an outcome of the list
//	go run ./cmd/corpus -throughput                docbatch run on 2,000 documents, and on PDFs beside a loop over pdftotext
//
// It exits with 1 where a figure falls short of what issue 5 asks, and with 0, saying so, where the corpus is not there.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
)

type options struct {
	dir        string
	formats    string
	run        string
	worst      int
	verbose    bool
	bombs      bool
	mutants    int
	seed       uint64
	throughput bool
	docbatch   string
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "../shared/corpus", "the folder of the corpus: one folder a format")
	flag.StringVar(&o.formats, "format", "", "only these formats, with commas between")
	flag.StringVar(&o.run, "run", "", "only the files whose path matches this regular expression")
	flag.IntVar(&o.worst, "worst", 10, "how many of the worst files of each format are printed")
	flag.BoolVar(&o.verbose, "v", false, "print of the worst files the warnings, the words that are missing and those that are too many")
	flag.BoolVar(&o.bombs, "bombs", false, "instead, read bombs that are made for it: each must keep to the bounds")
	flag.IntVar(&o.mutants, "mutants", 0, "instead, read so many files of the corpus with a damage each")
	flag.Uint64Var(&o.seed, "seed", 1, "which damages")
	flag.BoolVar(&o.throughput, "throughput", false, "instead, measure the speed of docbatch run, and on PDFs that of a loop over pdftotext")
	flag.StringVar(&o.docbatch, "docbatch", "", "the program to test (default: it is built)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx, o, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run does what is asked for. ok is whether nothing falls short.
func run(ctx context.Context, o options, out io.Writer) (ok bool, err error) {
	pattern, err := regexp.Compile(o.run)
	if err != nil {
		return false, fmt.Errorf("-run: %w", err)
	}
	if _, err := os.Stat(o.dir); err != nil && !o.bombs {
		fmt.Fprintf(out, "skipped: there is no corpus at %s\n", o.dir)
		return true, nil
	}
	dir, err := os.MkdirTemp("", "docbatch-corpus-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	x, err := newExtractor(ctx, o, dir)
	if err != nil {
		return false, err
	}
	if o.bombs {
		return explode(ctx, x, dir, pattern, out)
	}
	samples, err := readCorpus(o.dir)
	if err != nil {
		return false, err
	}
	ours, err := writeEncodings(dir)
	if err != nil {
		return false, err
	}
	samples = choose(append(samples, ours...), split(o.formats), pattern)
	switch {
	case len(samples) == 0:
		return false, fmt.Errorf("no file of %s is asked for", o.dir)
	case o.mutants > 0:
		return mutate(ctx, x, samples, o.mutants, o.seed, out)
	case o.throughput:
		return measure(ctx, x, samples, dir, out)
	}
	return agree(ctx, o, x, samples, out)
}

// newExtractor builds docbatch into dir, unless it is given.
func newExtractor(ctx context.Context, o options, dir string) (extractor, error) {
	if o.docbatch == "" {
		built := filepath.Join(dir, "docbatch")
		return extractor{built, dir}, build(ctx, built)
	}
	path, err := filepath.Abs(o.docbatch)
	if err == nil {
		_, err = os.Stat(path)
	}
	return extractor{path, dir}, err
}

var everything = regexp.MustCompile("")

// agree compares what docbatch reads with the anchors, a format after another, and prints the table.
func agree(ctx context.Context, o options, x extractor, samples []sample, out io.Writer) (ok bool, err error) {
	cache, err := newAnchors()
	if err != nil {
		return false, err
	}
	var rows []row
	worst := map[string][]result{}
	printHead(out)
	for _, format := range formats {
		some := choose(samples, []string{format}, everything)
		if len(some) == 0 {
			continue
		}
		anchors, err := cache.of(ctx, format, some)
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil {
			fmt.Fprintf(out, "%-6s is read without an anchor: %v\n", format, err)
		}
		readings, cpu, err := x.extract(ctx, paths(some))
		if err != nil {
			return false, err
		}
		for _, s := range some {
			worst[format] = append(worst[format], newResult(s, readings[s.path], anchors[s.hash]))
		}
		r := sum(format, worst[format], cpu)
		r.print(out)
		rows = append(rows, r)
	}
	var faults []string
	for _, r := range rows {
		if o.worst > 0 {
			fmt.Fprintf(out, "\n%s, the worst of %d scored:\n", r.format, r.scored)
			printWorst(out, worst[r.format], o.worst, o.verbose)
		}
		faults = append(faults, r.faults()...)
	}
	fmt.Fprintf(out, "\n%d files, %d figures fall short\n", len(samples), len(faults))
	for _, fault := range faults {
		fmt.Fprintf(out, "  ! %s\n", fault)
	}
	return len(faults) == 0, nil
}

func paths(samples []sample) []string {
	var all []string
	for _, s := range samples {
		all = append(all, s.path)
	}
	return all
}
