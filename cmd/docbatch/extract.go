package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"docbatch/pipeline"
	"docbatch/pipeline/extract"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mediatype"
	"docbatch/sources/archive"
	"docbatch/sources/folder"
)

// extractOptions are the flags of extract.
type extractOptions struct {
	jobFlags
	json bool
}

func newExtractCommand(e env) *cobra.Command {
	o := &extractOptions{}
	cmd := &cobra.Command{
		Use:   "extract FILE...",
		Short: "Print what the agent would see of documents: text, metadata, warnings, time, memory",
		Long: `Read documents as docbatch run would, and print their text: what the agent would see of them. What else is known of them,
and how long reading took, is on stderr. A folder or an archive stands for all documents in it, dump.zip!/a/b.pdf for one of
an archive. It is how you find out why an answer is odd. Exit 3 if one can't be read.`,
		Example: `  docbatch extract letter.pdf
  docbatch extract --json mails/ | jq -r 'select(.outcome != "text") | [.file, .outcome, .error] | @tsv'`,
		Args: usageArgs(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := findJobFile(cmd, e, &o.jobFlags, nil)
			if err != nil {
				return err
			}
			s, jf, err := loadSettings(cmd, e, file)
			if err != nil {
				return err
			}
			x, err := s.extraction(&o.extractFlags, &jf.Extract)
			if err != nil {
				return withExit(exitUsage, err, "")
			}
			return untilSignal(cmd.Context(), func(ctx context.Context) error { return extractAll(ctx, e, o, &x, args) })
		},
	}
	cmd.Flags().StringVarP(&o.file, "file", "f", "", "the job file whose settings hold (default: "+defaultJobFile+", if it is there)")
	o.extractFlags.add(cmd.Flags())
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object a document")
	return cmd
}

// extractAll reads the documents of all paths and prints them in order.
func extractAll(ctx context.Context, e env, o *extractOptions, x *extraction, paths []string) error {
	step, end := x.step()
	defer end()
	var opened []pipeline.Source
	defer func() {
		for _, src := range opened {
			_ = src.Close() // nothing was written
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	// As many are read at once as there are cores; each waits in its turn to be printed.
	turns := make(chan chan *extracted, runtime.GOMAXPROCS(0))
	var reading errgroup.Group
	defer func() {
		cancel()
		_ = reading.Wait() // what is read still uses the sources
	}()
	reading.Go(func() error {
		defer close(turns)
		return eachDocument(ctx, paths, &opened, func(src pipeline.Source, ref pipeline.Ref, file string) error {
			turn := make(chan *extracted, 1)
			select {
			case turns <- turn:
			case <-ctx.Done():
				return ctx.Err()
			}
			reading.Go(func() error {
				d := extractOne(ctx, step, src, ref, file)
				d.one = slices.Contains(paths, file)
				turn <- d
				return nil
			})
			return nil
		})
	})
	printed := &extractPrinter{env: e, json: o.json, many: len(paths) > 1}
	for turn := range turns {
		if err := printed.print(<-turn); err != nil {
			return err
		}
	}
	if err := reading.Wait(); err != nil {
		return err
	}
	if printed.failed {
		return &toldError{code: exitDocuments}
	}
	return nil
}

// eachDocument calls do for every document that paths stand for, in order. The sources stay open: they are added to opened.
func eachDocument(ctx context.Context, paths []string, opened *[]pipeline.Source, do func(src pipeline.Source, ref pipeline.Ref, file string) error) error {
	for _, path := range paths {
		src, within, member, err := openPath(path)
		if err != nil {
			return withExit(exitUsage, err, "Name files, folders, or documents of an archive as in dump.zip!/a/b.pdf.")
		}
		*opened = append(*opened, src)
		found := false
		for ref, err := range src.List(ctx) {
			if err != nil {
				return err
			}
			file := path
			switch {
			case member != "" && !isWithin(ref.ID, member):
				continue
			case within:
				file = strings.TrimSuffix(path, "/") + "/" + ref.ID
			default:
				if _, inner, ok := strings.Cut(ref.ID, archive.Border); ok {
					outer, _, _ := strings.Cut(path, archive.Border)
					file = outer + archive.Border + inner
				}
			}
			found = true
			if err := do(src, ref, file); err != nil {
				return err
			}
		}
		if member == "" && !found {
			return withExit(exitUsage, fmt.Errorf("there are no documents in %s", path), "")
		}
		if !found {
			return withExit(exitUsage, fmt.Errorf("there is no %s", path), "docbatch extract "+strings.TrimSuffix(path, archive.Border+member)+" reads all that is in it.")
		}
	}
	return nil
}

// isWithin reports whether the document called id, of an archive, is the member, or lies in that folder or archive.
func isWithin(id, member string) bool {
	_, inner, _ := strings.Cut(id, archive.Border)
	return inner == member || strings.HasPrefix(inner, member+"/") || strings.HasPrefix(inner, member+archive.Border)
}

// openPath opens what a path names: a folder, a file, or a member of an archive.
func openPath(path string) (src pipeline.Source, isFolder bool, member string, err error) {
	info, statErr := os.Stat(path)
	if statErr != nil {
		if outer, inner, ok := strings.Cut(path, archive.Border); ok {
			path, member = outer, inner
			info, statErr = os.Stat(path)
		}
	}
	switch {
	case statErr != nil:
		return nil, false, "", statErr
	case info.IsDir():
		src, err = folder.Open(folder.Options{Root: path})
	default:
		src, err = folder.OpenFiles(folder.FilesOptions{Paths: []string{path}})
	}
	return src, info.IsDir(), member, err
}

// An extracted document is what became of reading one.
type extracted struct {
	*extract.Reading
	file string
	one  bool // the path that was named is that of this document
	took time.Duration
	err  error
}

// extractOne reads one document as a run would.
func extractOne(ctx context.Context, step *extract.Step, src pipeline.Source, ref pipeline.Ref, file string) *extracted {
	d := &extracted{Reading: &extract.Reading{}, file: file}
	if ref.Err != nil {
		d.err = ref.Err
		return d
	}
	doc, err := src.Open(ctx, ref)
	if err != nil {
		d.err = err
		return d
	}
	began := time.Now()
	d.Reading, d.err = step.Read(ctx, ref.Name, doc.Data)
	d.took = time.Since(began)
	if d.err == nil && strings.TrimSpace(d.Text) == "" && len(d.Images) == 0 {
		d.err = extract.NoText(d.Warnings)
	}
	return d
}

// outcome is what became of it in one word.
func (d *extracted) outcome() string {
	if d.err == nil {
		return "text"
	}
	switch kind := pipeline.AsError(d.err).Kind; kind {
	case pipeline.KindNothing:
		return "empty"
	case pipeline.KindSlow:
		return "timeout"
	default:
		return kind
	}
}

// extractPrinter prints documents one after the other.
type extractPrinter struct {
	env
	json   bool
	many   bool // each has a heading
	failed bool // one of them, at least
}

// print prints one document: its text on stdout, what else is known of it on stderr.
func (p *extractPrinter) print(d *extracted) error {
	p.failed = p.failed || d.err != nil
	w := bufio.NewWriter(p.stdout)
	if p.json {
		writeJSON(w, "extracted", d.fields())
		return w.Flush()
	}
	_, tty := terminal(p.stdout)
	if (p.many || !d.one) && d.err == nil {
		fmt.Fprintf(w, "=== %s ===\n", printable(d.file))
	}
	text := d.Text
	if tty {
		text = printable(text)
	}
	fmt.Fprint(w, text)
	if text != "" && !strings.HasSuffix(text, "\n") {
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	d.tell(p.stderr)
	return nil
}

// tell says what is known of a document besides its text.
func (d *extracted) tell(w io.Writer) {
	line := func(key, value string) { fmt.Fprintf(w, "  %-9s %s\n", key+":", oneLine(value, 1000)) }
	fmt.Fprintf(w, "%s: %s", printable(d.file), strings.ReplaceAll(d.outcome(), "_", " "))
	if d.MediaType != "" {
		fmt.Fprintf(w, ", %s", mediatype.Describe(d.MediaType))
	}
	fmt.Fprintf(w, ", %s, %v", plural(len([]rune(d.Text)), "character"), d.took.Round(time.Millisecond))
	if d.Memory > 0 {
		fmt.Fprintf(w, ", %s of memory", content.Bytes(d.Memory))
	}
	fmt.Fprintln(w)
	for _, key := range slices.Sorted(maps.Keys(d.Meta)) {
		line(key, d.Meta[key])
	}
	for _, warning := range d.Warnings {
		line("warning", warning)
	}
	for _, image := range d.Images {
		line("picture", fmt.Sprintf("page %d, %s, %s", image.Page, image.MediaType, content.Bytes(int64(len(image.Data)))))
	}
	if d.err != nil {
		line("error", d.err.Error())
	}
}

// fields are the same for programs.
func (d *extracted) fields() map[string]any {
	meta := d.Meta
	if meta == nil {
		meta = map[string]string{}
	}
	fields := map[string]any{"file": d.file, "outcome": d.outcome(), "media_type": d.MediaType, "text": d.Text, "meta": meta,
		"warnings": listed(d.Warnings), "images": len(d.Images), "ms": d.took.Milliseconds(), "memory_bytes": d.Memory}
	if d.err != nil {
		fields["error"] = d.err.Error()
	}
	return fields
}
