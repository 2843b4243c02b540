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
an archive, - for stdin. It is how you find out why an answer is odd. Exit 3 if one can't be read, 2 if one is not there: the
others are read all the same.`,
		Example: `  docbatch extract letter.pdf
  curl -s https://example.org/terms.pdf | docbatch extract -
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
			if err := x.check(cmd.Context()); err != nil {
				return err
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
		return eachDocument(ctx, e.stdin, paths, &opened, func(n named) error {
			turn := make(chan *extracted, 1)
			select {
			case turns <- turn:
			case <-ctx.Done():
				return ctx.Err()
			}
			reading.Go(func() error {
				d := extractOne(ctx, step, n)
				d.one = slices.Contains(paths, n.file)
				turn <- d
				return nil
			})
			return nil
		})
	})
	printed := &extractPrinter{env: e, json: o.json, many: len(paths) > 1}
	for turn := range turns {
		d := <-turn
		if ctx.Err() != nil {
			return ctx.Err() // the rest says no more than that
		}
		if err := printed.print(d); err != nil {
			return err
		}
	}
	if err := reading.Wait(); err != nil {
		return err
	}
	if printed.code != exitOK {
		return &toldError{code: printed.code}
	}
	return nil
}

// A named document is one that a path stands for.
type named struct {
	file string // how it is named from here
	name string // for what its extension says
	open func(context.Context) (*pipeline.Document, error)
	none bool // there is none: open says why
}

// none is what is told in place of the documents of a path that stands for none.
func none(path, format string, args ...any) named {
	err := pipeline.Errorf(pipeline.Invalid, pipeline.KindRead, format, args...)
	return named{file: path, none: true, open: func(context.Context) (*pipeline.Document, error) { return nil, err }}
}

// stdinPath stands for what comes in on stdin.
const stdinPath = "-"

// eachDocument calls do for every document that paths stand for, in order, and for every path that stands for none. The sources stay
// open: they are added to opened.
func eachDocument(ctx context.Context, stdin io.Reader, paths []string, opened *[]pipeline.Source, do func(named) error) error {
	for _, path := range paths {
		if path == stdinPath {
			if err := do(named{file: path, open: func(ctx context.Context) (*pipeline.Document, error) { return readStdin(ctx, stdin) }}); err != nil {
				return err
			}
			continue
		}
		src, within, member, err := openPath(path)
		if err != nil {
			if err := do(none(path, "%w; name files, folders, or documents of an archive as in dump.zip!/a/b.pdf", err)); err != nil {
				return err
			}
			continue
		}
		*opened = append(*opened, src)
		if err := eachOf(ctx, src, path, within, member, do); err != nil {
			return err
		}
	}
	return nil
}

// eachOf calls do for every document of a source, the one that a path names; where it is a folder, they are within.
func eachOf(ctx context.Context, src pipeline.Source, path string, within bool, member string, do func(named) error) error {
	found := false
	for ref, err := range src.List(ctx) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return do(none(path, "%w", err))
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
		if err := do(named{file: file, name: ref.Name, open: func(ctx context.Context) (*pipeline.Document, error) {
			if ref.Err != nil {
				return nil, ref.Err
			}
			return src.Open(ctx, ref)
		}}); err != nil {
			return err
		}
	}
	switch {
	case found:
		return nil
	case member == "":
		return do(none(path, "there are no documents in it"))
	}
	return do(none(path, "there is no such document; docbatch extract %s reads all that is in it", strings.TrimSuffix(path, archive.Border+member)))
}

// readStdin reads a document from stdin, as far as one may go. It returns early when ctx ends.
func readStdin(ctx context.Context, stdin io.Reader) (*pipeline.Document, error) {
	type result struct {
		data []byte
		err  error
	}
	read := make(chan result, 1)
	go func() { // what is left behind reads from what nobody else reads from
		data, err := io.ReadAll(io.LimitReader(stdin, folder.DefaultMaxBytes+1))
		read <- result{data, err}
	}()
	select {
	case r := <-read:
		switch {
		case r.err != nil:
			return nil, pipeline.Errorf(pipeline.Invalid, pipeline.KindRead, "%w", r.err)
		case len(r.data) > folder.DefaultMaxBytes:
			return nil, content.TooLarge("it is larger than %s (the bound on size)", content.Bytes(folder.DefaultMaxBytes))
		}
		return &pipeline.Document{Data: r.data}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
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
	none bool // it stands for no document
	took time.Duration
	err  error
}

// extractOne reads one document as a run would.
func extractOne(ctx context.Context, step *extract.Step, n named) *extracted {
	d := &extracted{Reading: &extract.Reading{}, file: n.file, none: n.none}
	doc, err := n.open(ctx)
	if err != nil {
		d.err = err
		return d
	}
	began := time.Now()
	d.Reading, d.err = step.Read(ctx, n.name, doc.Data)
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
	case pipeline.KindRead:
		return "unreadable"
	default:
		return kind
	}
}

// extractPrinter prints documents one after the other.
type extractPrinter struct {
	env
	json bool
	many bool // each has a heading
	code int  // the exit code
}

// print prints one document: its text on stdout, what else is known of it on stderr.
func (p *extractPrinter) print(d *extracted) error {
	if d.none {
		p.code = exitUsage
	} else if d.err != nil && p.code == exitOK {
		p.code = exitDocuments
	}
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
		line("picture", sayImage(image))
	}
	if d.err != nil {
		line("error", d.err.Error())
	}
}

// sayImage says what a picture is.
func sayImage(image content.Image) string {
	words := fmt.Sprintf("%s, %s", image.MediaType, content.Bytes(int64(len(image.Data))))
	if image.Page > 0 {
		words = fmt.Sprintf("page %d, %s", image.Page, words)
	}
	return words
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
