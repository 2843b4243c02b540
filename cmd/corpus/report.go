package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

const (
	minWords  = 20  // of an anchor, for its file to be scored
	goodShare = 0.9 // of an anchor's words, for a text to be called good

	maxMemory = 512 << 20 // that reading one file may take
	maxTime   = time.Minute
)

// A result is what came of one sample.
type result struct {
	sample
	reading
	anchor string
	scored bool // the anchor has words enough
	score  score
	exact  bool // the text is the anchor
}

func newResult(s sample, r reading, anchor string) result {
	want := words(anchor)
	misread := strings.ContainsRune(anchor, 0) // UTF-16 that the other program took for something else
	res := result{sample: s, reading: r, anchor: anchor, scored: len(want) >= minWords && !misread, exact: plain(r.Text) == plain(anchor)}
	if res.scored {
		res.score = compare(want, words(r.Text))
	}
	return res
}

// A row is the sum of a format.
type row struct {
	format   string
	files    int
	outcomes map[string]int
	scored   int
	mean     score
	good     float64 // share of the scored
	exact    float64 // share of all
	size     int64   // bytes of all files
	cpu      time.Duration
	memory   int64 // the most that a file took
	slowest  time.Duration
	broken   []string // promises about any file that one does not keep
}

func sum(format string, results []result, cpu time.Duration) row {
	r := row{format: format, files: len(results), outcomes: map[string]int{}, cpu: cpu}
	good, exact := 0, 0
	for _, res := range results {
		r.outcomes[res.Outcome]++
		r.size += res.size
		r.memory = max(r.memory, res.Memory)
		r.slowest = max(r.slowest, res.took())
		if res.exact {
			exact++
		}
		for _, fault := range res.faults() {
			r.broken = append(r.broken, res.name()+": "+fault)
		}
		if !res.scored {
			continue
		}
		r.scored++
		r.mean.recall += res.score.recall
		r.mean.precision += res.score.precision
		r.mean.order += res.score.order
		if res.score.recall >= goodShare {
			good++
		}
	}
	r.exact = share(exact, r.files)
	r.good = share(good, r.scored)
	if n := float64(r.scored); n > 0 {
		r.mean = score{r.mean.recall / n, r.mean.precision / n, r.mean.order / n}
	}
	return r
}

// A target is what issue 5 asks of a format; 0 asks nothing.
type target struct {
	score
	exact float64
}

var targets = map[string]target{
	"pdf":   {score: score{recall: .96, precision: .955, order: .87}},
	"docx":  {score: score{recall: .955}},
	"pptx":  {score: score{recall: .995}},
	"odt":   {score: score{recall: .95}},
	"rtf":   {score: score{recall: .95}},
	"epub":  {score: score{recall: .975}},
	"html":  {score: score{recall: .945, precision: .93}},
	"eml":   {score: score{recall: .955}},
	"msg":   {score: score{recall: .94}},
	"csv":   {exact: .945},
	"txt":   {exact: .945},
	charset: {exact: .945},
}

// faults are what falls short in a row.
func (r row) faults() (faults []string) {
	short := func(what string, got, want float64) {
		if got < want {
			faults = append(faults, fmt.Sprintf("%s: %s %.3f, want %.3f", r.format, what, got, want))
		}
	}
	want := targets[r.format]
	if r.scored > 0 {
		short("recall", r.mean.recall, want.recall)
		short("precision", r.mean.precision, want.precision)
		short("order", r.mean.order, want.order)
	}
	short("exact", r.exact, want.exact)
	return append(faults, r.broken...)
}

// known counts the files whose outcome is one of the list.
func known(counts map[string]int) int {
	n := 0
	for _, outcome := range outcomes {
		n += counts[outcome]
	}
	return n
}

const rowFormat = "%-7s %5v %5v %5v %5v %5v %5v %5v %5v %5v %5v | %6v %6v %6v %6v %6v %6v | %7v %7v %6v %6v\n"

func printHead(w io.Writer) {
	fmt.Fprintf(w, rowFormat, "", "files", "text", "encr", "damg", "empty", "notxt", "large", "unsup", "time", "crash",
		"scored", "recall", "prec", "order", "good", "exact", "CPU s", "MB/CPUs", "max s", "max MB")
}

func (r row) print(w io.Writer) {
	cells := []any{r.format, r.files}
	for _, outcome := range outcomes {
		cells = append(cells, r.outcomes[outcome])
	}
	cells = append(cells, r.files-known(r.outcomes), r.scored)
	for _, share := range []float64{r.mean.recall, r.mean.precision, r.mean.order, r.good} {
		cells = append(cells, figure(share, r.scored > 0))
	}
	speed := float64(r.size) / (1 << 20) / max(r.cpu.Seconds(), 1e-3)
	cells = append(cells, figure(r.exact, slices.Contains([]string{"csv", "txt", charset}, r.format)), fmt.Sprintf("%.2f", r.cpu.Seconds()), fmt.Sprintf("%.2f", speed),
		fmt.Sprintf("%.1f", r.slowest.Seconds()), r.memory>>20)
	fmt.Fprintf(w, rowFormat, cells...)
}

func figure(share float64, ok bool) string {
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%.3f", share)
}

// printWorst prints the scored files that agree least, n at most; with detail, the words that are missing and those that are too many.
func printWorst(w io.Writer, results []result, n int, detail bool) {
	scored := slices.DeleteFunc(slices.Clone(results), func(r result) bool { return !r.scored })
	slices.SortStableFunc(scored, func(a, b result) int {
		return cmp.Or(cmp.Compare(a.score.recall, b.score.recall), cmp.Compare(a.score.precision, b.score.precision))
	})
	for _, r := range scored[:min(n, len(scored))] {
		r.print(w, detail)
	}
}

func (r result) print(w io.Writer, detail bool) {
	want, got := words(r.anchor), words(r.Text)
	fmt.Fprintf(w, "  recall %.3f  precision %.3f  order %.3f  words %d of %d  %s  %s", r.score.recall, r.score.precision, r.score.order, len(got), len(want), r.name(), r.Outcome)
	if r.Error != "" {
		fmt.Fprintf(w, ": %s", clip(r.Error, 200))
	}
	fmt.Fprintln(w)
	if !detail {
		return
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(w, "      warning  %s\n", clip(warning, 200))
	}
	for _, list := range []struct {
		title string
		words []string
	}{{"missing", missing(want, got, 15)}, {"too many", missing(got, want, 15)}} {
		if len(list.words) > 0 {
			fmt.Fprintf(w, "      %-8s %s\n", list.title, strings.Join(list.words, " "))
		}
	}
}
