// Package pdf reads PDF documents (ISO 32000) by PDFium, which is Chromium's: compiled to WebAssembly by go-pdfium and run by wazero. It has no
// access to files, network or environment, and its memory is bounded, so that what a document does to PDFium it does to nothing else.
//
// PDFium gives the characters of a page and where they stand, in the order of the document; this package makes lines, columns and
// paragraphs of them, with what was written onto the page later: values of forms, comments. It recognises no text in pictures: it renders
// pages without text, where that is wanted, for those who do.
//
// What it can't do is to stop PDFium: see Reader.Stuck.
package pdf

import (
	"context"
	"sync"
	"sync/atomic"

	"docbatch/pipeline/extract/content"
)

// A Reader reads PDF documents, one at a time. It starts PDFium when it is first used.
type Reader struct {
	cacheDir  string
	stuck     atomic.Int32   // the calls that were given up and still run
	abandoned sync.WaitGroup // the same

	mu     sync.Mutex
	engine *engine
}

// New makes a reader. What it compiles, which takes some seconds, it keeps in the folder cacheDir, for itself and other processes, and takes
// about a tenth of a second from there; "" keeps nothing. The folder is to be writable for nobody else: what is in it is run.
func New(cacheDir string) *Reader { return &Reader{cacheDir: cacheDir} }

// Read is a content.Reader. Text has the marks of its pages where there is more than one. Columns that stand apart are separated by tabs,
// paragraphs by empty lines. A word that was divided at the end of a line is put together. Comments stand where they stand on the page;
// embedded files follow the pages, as File.Within reads them.
//
// With Options.Images it gives the pages that hold pictures and no text, and those whose fonts do not say what their characters are, as images
// in about 200 dpi, at most 50 and 40 MB of them, and has no warning of those.
//
// A page that takes longer than Bounds.PageTime ends the reading, and so does ctx's deadline when it comes near: what was read by then is
// given, with a warning. So is what was read of a document in which PDFium breaks down.
//
// Errors are KindEncrypted where none of File.Passwords opens it, KindDamaged with what PDFium says, KindTooLarge over a bound, KindSlow
// where it cannot even be opened in Bounds.PageTime; ctx's; and of no class where PDFium cannot be started.
func (r *Reader) Read(ctx context.Context, f *content.File) (*content.Content, error) {
	if err := r.Start(ctx); err != nil {
		return nil, err
	}
	d := &document{reader: r, file: f, content: &content.Content{}, text: content.NewWriter(f.Bounds.Text)}
	defer d.close()
	if err := d.read(ctx); err != nil {
		return nil, err
	}
	if err := d.text.Err(); err != nil {
		return nil, err
	}
	d.content.Text = d.text.String()
	return d.content, nil
}

// Stuck reports whether a page that was given up is still being read: nothing but the end of the process stops a call of PDFium for sure, for
// code that can be stopped runs at a third of the speed. Reading other documents goes on meanwhile, slower and in more memory.
func (r *Reader) Stuck() bool { return r.stuck.Load() > 0 }

// Close ends PDFium. A Reader that is stuck leaves it to the end of the process.
func (r *Reader) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine == nil || r.Stuck() {
		return nil
	}
	err := r.engine.close()
	r.engine = nil
	return err
}

// Start starts PDFium, unless it runs: so that the first document does not wait for that.
func (r *Reader) Start(ctx context.Context) (err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine != nil {
		return nil
	}
	if r.engine, err = newEngine(ctx, r.cacheDir); err != nil && r.cacheDir != "" {
		r.engine, err = newEngine(ctx, "") // what is kept there may be damaged
	}
	return err
}
