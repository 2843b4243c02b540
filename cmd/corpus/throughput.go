package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"time"
)

const (
	mixedDocuments = 2000
	pdfDocuments   = 1000
	rounds         = 2   // of each measurement, by turns; the fastest counts
	wantRatio      = 2.0 // of docbatch's speed on PDFs to that of a loop over pdftotext
)

// converted are the formats that other programs convert: theirs would be the speed.
var converted = []string{"doc", "xls", "ppt"}

// A pace is how fast a folder was worked on.
type pace struct {
	name      string
	documents int
	pages     int // 0 where nobody counts
	usage
}

const paceFormat = "%-44s %6v %8v %8v %8v %8v %8v %7v\n"

func (p pace) perSecond() float64 { return float64(p.documents) / p.wall.Seconds() }

func (p pace) print(w io.Writer) {
	pages := "-"
	if p.pages > 0 {
		pages = fmt.Sprintf("%.0f", float64(p.pages)/p.wall.Seconds())
	}
	fmt.Fprintf(w, paceFormat, p.name, p.documents, fmt.Sprintf("%.1f", p.wall.Seconds()), fmt.Sprintf("%.0f", p.perSecond()), pages,
		fmt.Sprintf("%.1f", p.cpu.Seconds()), fmt.Sprintf("%.0f%%", 100*share(int(p.cpu.Milliseconds()), int(p.wall.Milliseconds())*runtime.NumCPU())), p.memory>>20)
}

// measure works on folders made out of the corpus: with docbatch run and an agent that answers at once, and with pdftotext.
func measure(ctx context.Context, x extractor, samples []sample, dir string, out io.Writer) (ok bool, err error) {
	mixed, pdfs := filepath.Join(dir, "mixed"), filepath.Join(dir, "pdfs")
	if err := install(ctx, []string{"pdftotext"}); err != nil {
		return false, err
	}
	onlyPDF := choose(samples, []string{"pdf"}, everything)
	onlyPDF = slices.DeleteFunc(onlyPDF, func(s sample) bool { return endless(ctx, s, out) })
	if len(onlyPDF) == 0 {
		return false, errors.New("the corpus has no PDF")
	}
	ours := slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return slices.Contains(converted, s.format) })
	if err := errors.Join(fill(mixed, ours, mixedDocuments), fill(pdfs, onlyPDF, pdfDocuments), x.warmUp(ctx, dir)); err != nil {
		return false, err
	}
	base, err := answerAtOnce(ctx)
	if err != nil {
		return false, err
	}
	cores := strconv.Itoa(runtime.NumCPU())
	ways := []func() (pace, error){
		func() (pace, error) { return x.pace(ctx, "docbatch run, mixed", mixed, base) },
		func() (pace, error) { return x.pace(ctx, "docbatch run, PDFs", pdfs, base) },
		func() (pace, error) { return pdftotextPace(ctx, "pdftotext, one after the other", pdfs, "1") },
		func() (pace, error) { return pdftotextPace(ctx, "pdftotext, "+cores+" at once", pdfs, cores) },
	}
	best := make([]pace, len(ways))
	for range rounds {
		for i, way := range ways {
			p, err := way()
			if err != nil {
				return false, err
			}
			if best[i].wall == 0 || p.wall < best[i].wall {
				best[i] = p
			}
		}
	}
	best[1].pages = best[2].pages
	fmt.Fprintf(out, paceFormat, "", "docs", "s", "docs/s", "pages/s", "CPU s", "of CPUs", "MB")
	for _, p := range best {
		p.print(out)
	}
	ratio := best[1].perSecond() / best[2].perSecond()
	fmt.Fprintf(out, "\ndocbatch on PDFs is %.1f times as fast as the loop (want at least %.0f), and %.1f times as fast as the loop on all cores\n",
		ratio, wantRatio, best[1].perSecond()/best[3].perSecond())
	return ratio >= wantRatio, nil
}

// endless reports whether pdftotext does not come to an end of a PDF, as a loop would wait for it.
func endless(ctx context.Context, s sample, out io.Writer) bool {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, _ = pdftotext(limited, s.path) // whether it can read it
	if limited.Err() == nil {
		return false
	}
	fmt.Fprintf(out, "left out: pdftotext takes more than 5s for %s\n", s.name())
	return true
}

// fill makes a folder of n copies of samples, by turns.
func fill(dir string, samples []sample, n int) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	for i := range n {
		s := samples[i%len(samples)]
		data, err := os.ReadFile(s.path)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d-%s", i, filepath.Base(s.path))), data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// completion is what the agent answers.
const completion = `{"id":"1","object":"chat.completion","created":1,"model":"fast","choices":[{"index":0,"message":{"role":"assistant","content":"Read."},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`

// answerAtOnce serves an agent until ctx ends.
func answerAtOnce(ctx context.Context) (baseURL string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // whatever is asked
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, completion) // to whoever still listens
	})}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(l) }() // it ends with an error always
	return "http://" + l.Addr().String() + "/v1", nil
}

// pace has docbatch work on a folder, from the start to the last answer. Scans are not read: pdftotext does not either.
func (x extractor) pace(ctx context.Context, name, folder, base string) (pace, error) {
	state := filepath.Join(x.dir, "pace.db")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(state + suffix) // of the round before
	}
	cmd := exec.CommandContext(ctx, x.docbatch, "run", folder, "--agent", "fast", "--base-url", base, "--state", state, "--images", "none", "--workers", "16", "-q", "-y")
	cmd.Dir = x.dir
	cmd.Env = append(os.Environ(), "SWIFTASK_API_KEY=none")
	used, err := timed(cmd, seldom)
	if cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == exitDocuments {
		err = nil
	}
	return pace{name: name, documents: files(folder), usage: used}, err
}

// pdftotextPace runs a process of pdftotext for each PDF of a folder, so many at once, as a shell would.
func pdftotextPace(ctx context.Context, name, folder, atOnce string) (pace, error) {
	cmd := exec.CommandContext(ctx, "sh", "-c", `find "$1" -name '*.pdf' -print0 | xargs -0 -n 1 -P "$2" sh -c 'pdftotext -q "$0" - || true'`, "sh", folder, atOnce)
	pages := &pageCounter{}
	cmd.Stdout = pages
	used, err := timed(cmd, seldom)
	return pace{name: name, documents: files(folder), pages: pages.n, usage: used}, err
}

// A pageCounter counts the form feeds with which pdftotext ends each page.
type pageCounter struct{ n int }

func (c *pageCounter) Write(p []byte) (int, error) {
	c.n += bytes.Count(p, []byte("\f"))
	return len(p), nil
}

// timed runs a command to its end and looks at its memory so often.
func timed(cmd *exec.Cmd, every time.Duration) (used usage, err error) {
	complaint := &beginning{max: 16 << 10}
	cmd.Stderr = complaint
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return used, err
	}
	memory := watchTree(cmd.Process.Pid, every)
	err = cmd.Wait()
	used = usage{wall: time.Since(began), memory: memory.stop(), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if err != nil {
		err = fmt.Errorf("%w: %s", err, clip(complaint.String(), 300))
	}
	return used, err
}

func files(folder string) int {
	entries, _ := os.ReadDir(folder) // that was filled
	return len(slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.IsDir() }))
}
