package pdf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"docbatch/pipeline/extract/content"
)

// maxBreakdowns bounds how often PDFium is started anew for a document that breaks it down.
const maxBreakdowns = 5

// A document is one document being read.
type document struct {
	reader  *Reader
	file    *content.File
	content *content.Content
	text    *content.Writer

	in         *instance // nil after a call that was given up
	handle     pointer   // FPDF_DOCUMENT
	breakdowns int
	until      time.Time // nothing is begun after it; zero for no end

	added    int   // pages that were read
	unread   []int // pages that could not be read
	pictures []int // pages that hold pictures and no text
	garbled  []int // pages whose text is of no use
	cause    error // why the last page that could not be read could not
}

// read reads the document into d.content and d.text.
func (d *document) read(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		d.until = time.Now().Add(time.Until(deadline) * 4 / 5)
	}
	if err := d.open(ctx); err != nil {
		return err
	}
	info, err := within(ctx, d, func(in *instance) (info, error) { return in.info(d.handle), in.err })
	if err != nil {
		return d.lost(err)
	}
	d.content.Meta = info.meta
	if info.pages > d.file.Bounds.Pages {
		return content.TooLarge("it has %d pages (the bound on pages is %d)", info.pages, d.file.Bounds.Pages)
	}
	if err := d.readPages(ctx, info.pages); err != nil {
		return err
	}
	if d.added == 0 && len(d.unread) > 0 {
		return cmp.Or(d.cause, content.Damaged("none of its pages can be read: what they are made of is missing or broken, or leads back to itself"))
	}
	if err := d.attachments(ctx); err != nil {
		return err
	}
	if info.pages == 0 && d.text.Len() == 0 {
		return content.Damaged("no page can be found in it: the list of its pages is empty or broken, or leads back to itself")
	}
	if err := d.render(ctx); err != nil {
		return err
	}
	d.warnOfPages(info.pages)
	return nil
}

// open opens the document in a new instance, with the first password that fits; the first to try is none.
func (d *document) open(ctx context.Context) (err error) {
	if d.in, err = d.reader.engine.instance(); err != nil {
		return err
	}
	d.handle, err = within(ctx, d, func(in *instance) (pointer, error) { return in.open(d.file.Data, d.file.Passwords) })
	return d.lost(err)
}

// lost is the error of a document of which nothing can be read because of err, which may be a trap.
func (d *document) lost(err error) error {
	switch {
	case errors.Is(err, errSlow):
		return content.TimedOut("it can't be opened in %v (the bound on a page's time)", d.file.Bounds.PageTime)
	case err != nil && d.in != nil && d.in.err != nil:
		return d.in.broken()
	}
	return err
}

// What FPDF_GetLastError says.
const (
	errFormat   = 3
	errPassword = 4
	errSecurity = 5
)

func (in *instance) open(data []byte, passwords []string) (pointer, error) {
	file := in.file(data)
	reason := uint64(errPassword)
	for n := -1; n < len(passwords) && reason == errPassword; n++ {
		password := pointer(0)
		if n >= 0 {
			password = in.put([]byte(passwords[n]))
		}
		if handle := in.call("FPDF_LoadCustomDocument", file, password); handle != 0 {
			return handle, nil
		}
		reason = in.call("FPDF_GetLastError")
	}
	switch {
	case in.err != nil:
		return 0, in.err
	case reason == errPassword && len(passwords) > 0:
		return 0, content.Encrypted("it is encrypted, and none of the %d passwords opens it", len(passwords))
	case reason == errPassword:
		return 0, content.Encrypted("it is encrypted, and no password is known")
	case reason == errSecurity:
		return 0, content.Encrypted("it is encrypted in a way that PDFium does not know")
	case reason == errFormat:
		return 0, content.Damaged("it is no PDF document, or its structure is broken or leads back to itself; PDFium says no more")
	}
	return 0, content.Damaged("PDFium can't open it (its error %d)", reason)
}

// broken is the error of a document that broke PDFium down.
func (in *instance) broken() error {
	if in.memory.refused {
		return content.TooLarge("it takes more than %s to read (the bound on memory)", content.Bytes(memoryBound))
	}
	return content.Damaged("PDFium broke down over it: %w", in.err)
}

// errSlow is the error of a step that was given up: it took longer than its time.
var errSlow = errors.New("it took too long")

// within takes a step, which may last as long as a page may. A step that lasts longer is left to itself, with the instance, which ends when
// it does; the document has none from then on, and the error is errSlow, or ctx's.
func within[T any](ctx context.Context, d *document, step func(*instance) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
		panic any
	}
	done := make(chan result, 1)
	in := d.in
	go func() {
		r := result{}
		defer func() {
			r.panic = recover()
			done <- r
		}()
		r.value, r.err = step(in)
	}()
	limit := time.NewTimer(d.file.Bounds.PageTime)
	defer limit.Stop()
	var late error
	select {
	case r := <-done:
		if r.panic != nil {
			panic(r.panic)
		}
		return r.value, r.err
	case <-limit.C:
		late = errSlow
	case <-ctx.Done():
		late = ctx.Err()
	}
	d.in = nil
	d.reader.stuck.Add(1)
	d.reader.abandoned.Go(func() {
		<-done
		in.close()
		d.reader.stuck.Add(-1)
	})
	var none T
	return none, late
}

// readPages reads all pages, as far as time goes.
func (d *document) readPages(ctx context.Context, pages int) error {
	for n := range pages {
		if d.late() {
			d.content.Warn("there was no time for " + numbers(upTo(n+1, pages)))
			return nil
		}
		p, err := within(ctx, d, func(in *instance) (*page, error) { return in.page(d.handle, n), in.err })
		if err != nil {
			if goesOn, err := d.fail(ctx, err, n+1, pages); !goesOn {
				return err
			}
			continue
		}
		d.add(p, pages)
		if d.text.Err() != nil {
			return nil // Read says so
		}
	}
	return nil
}

// late says whether nothing more is to be begun.
func (d *document) late() bool { return !d.until.IsZero() && time.Now().After(d.until) }

// fail notes why a page, of so many, could not be read, and says whether the next can be.
func (d *document) fail(ctx context.Context, err error, page, pages int) (goesOn bool, _ error) {
	switch {
	case errors.Is(err, errSlow):
		d.unread = append(d.unread, page)
		d.cause = content.TimedOut("page %d takes longer than %v (the bound on a page's time)", page, d.file.Bounds.PageTime)
		d.content.Warn(fmt.Sprintf("page %d took longer than %v: it and all that follow are left out", page, d.file.Bounds.PageTime))
		return false, nil
	case errors.Is(err, context.DeadlineExceeded) && page > 1:
		d.content.Warn("there was no time for " + numbers(upTo(page, pages)))
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	}
	d.unread, d.cause = append(d.unread, page), d.in.broken()
	d.content.Warn(fmt.Sprintf("page %d: %v", page, d.cause))
	if err := d.restart(ctx); err != nil {
		if page < pages {
			d.content.Warn(fmt.Sprintf("%s left out: %v", numbers(upTo(page+1, pages)), err))
		}
		return false, nil
	}
	return true, nil
}

// restart opens the document anew after it broke PDFium down, but not for ever.
func (d *document) restart(ctx context.Context) error {
	d.close()
	if d.breakdowns++; d.breakdowns > maxBreakdowns {
		return fmt.Errorf("PDFium broke down %d times", d.breakdowns)
	}
	return d.open(ctx)
}

// add adds a page that was read.
func (d *document) add(p *page, pages int) {
	if !p.read {
		d.unread = append(d.unread, p.number)
		return
	}
	d.added++
	if pages > 1 && p.text != "" {
		d.text.Page("page", p.number)
	}
	d.text.WriteString(p.text)
	if p.picture {
		d.pictures = append(d.pictures, p.number)
	}
	if p.cut {
		d.content.Warn(fmt.Sprintf("page %d has more than %d characters: the rest is left out", p.number, maxCharacters))
	}
	if p.garbled {
		d.garbled = append(d.garbled, p.number)
	}
}

// warnOfPages says what is not in the text. Of pages that are given as images, whoever looks at those says what comes of it.
func (d *document) warnOfPages(pages int) {
	isGiven := func(n int) bool {
		return slices.ContainsFunc(d.content.Images, func(i content.Image) bool { return i.Page == n })
	}
	d.garbled, d.pictures = slices.DeleteFunc(d.garbled, isGiven), slices.DeleteFunc(d.pictures, isGiven)
	if len(d.unread) > 0 {
		d.content.Warn(numbers(d.unread) + " could not be read")
	}
	if len(d.garbled) > 0 {
		d.content.Warn("most of the text is lost of " + numbers(d.garbled) + ": the fonts do not say what their characters are")
	}
	switch n := len(d.pictures); {
	case n == 0:
	case n == pages:
		d.content.Warn(fmt.Sprintf("it holds pictures alone, and no text, on %s (a scan?)", numbers(d.pictures)))
	case n == 1:
		d.content.Warn(numbers(d.pictures) + " holds pictures and no text (a scan?)")
	default:
		d.content.Warn(numbers(d.pictures) + " hold pictures and no text (a scan?)")
	}
}

// close ends the instance, and with it all that was opened in it.
func (d *document) close() {
	if d.in != nil {
		d.in.close()
		d.in = nil
	}
}

func upTo(first, last int) []int {
	var all []int
	for n := first; n <= last; n++ {
		all = append(all, n)
	}
	return all
}

// maxRanges bounds how long a list of pages gets.
const maxRanges = 12

// numbers lists pages, which are in order: "page 3", "pages 1, 3-5".
func numbers(pages []int) string {
	text, ranges := "", 0
	for i := 0; i < len(pages); ranges++ {
		last := i
		for last+1 < len(pages) && pages[last+1] == pages[last]+1 {
			last++
		}
		if ranges == maxRanges {
			text += fmt.Sprintf(" and %d more", len(pages)-i)
			break
		}
		if i > 0 {
			text += ", "
		}
		text += strconv.Itoa(pages[i])
		if last > i {
			text += "-" + strconv.Itoa(pages[last])
		}
		i = last + 1
	}
	if len(pages) == 1 {
		return "page " + text
	}
	return "pages " + text
}
