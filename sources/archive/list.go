package archive

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	"docbatch/pipeline"
)

// Wanted says by a member's ID whether it is wanted; of an archive, whether anything in it may be.
type Wanted func(id string, archive bool) bool

// List closes f.In, and gives the members of an archive that are wanted, in their order, those of archives in it in their place. It reads what takes reading:
// of a zip or 7z the directory, of a compressed tar all.
//
// An archive that can't be had, or not to its end, is a Member itself, after those before the damage; over a bound it is the only one. Errors
// are ErrNotArchive, ErrChanged, that of ctx, and what reading the file itself brought.
func (s *Shelf) List(ctx context.Context, f File, wanted Wanted) ([]Member, error) {
	defer f.In.Close()
	before, err := f.In.Stat()
	if err != nil {
		return nil, err
	}
	l := &listing{shelf: s, ctx: ctx, file: f, wanted: wanted}
	if err := l.archive(newInput(f.In, before.Size(), f.ID)); err != nil {
		return nil, err
	}
	after, err := f.In.Stat()
	if err == nil && s.options.Stamp(before) != s.options.Stamp(after) {
		err = ErrChanged
	}
	return l.members, err
}

// A listing is one call of List.
type listing struct {
	shelf   *Shelf
	ctx     context.Context
	file    File
	wanted  Wanted
	members []Member
}

// archive lists an archive. An error means that the whole listing ends.
func (l *listing) archive(in *input) error {
	first := len(l.members)
	err := walk(l.ctx, in, func(id string, e *entry) error { return l.entry(in, id, e) })
	why, ok := errors.AsType[*pipeline.Error](err)
	switch {
	case !ok || why.Class != pipeline.Invalid:
		return err
	case in.budget.spent != nil && in.depth > 1:
		return err // it is the budget of the archive that this one lies in
	case why.Kind == pipeline.KindTooLarge:
		l.members = l.members[:first]
	}
	l.fault(in.id, why)
	return nil
}

func (l *listing) fault(id string, why *pipeline.Error) {
	l.members = append(l.members, Member{ID: id, Err: faultAt(l.file.at(id), why)})
}

// entry lists a member: as the archive that it is, or as a document.
func (l *listing) entry(in *input, id string, e *entry) error {
	if !e.misnamed && !l.wanted(id, Named(id)) {
		return nil
	}
	max := l.shelf.options.MaxBytes
	size := e.size
	if size < 0 {
		size = in.size // what it is packed to is hardly more than itself
	}
	switch {
	case e.fault != nil:
		l.fault(id, e.fault)
		return nil
	case size > max:
		l.fault(id, tooLarge(size, max))
		return nil
	case Named(id):
		return l.within(in, id, e)
	}
	return l.document(id, e)
}

// document lists a member that is a document, by what the archive knows of its bytes, or by these.
func (l *listing) document(id string, e *entry) error {
	if e.stamp == "" {
		r, err := e.stampReader()
		if err != nil {
			return err
		}
		if e.stamp, err = digest(r); err != nil {
			return err
		}
	}
	l.members = append(l.members, Member{ID: id, Stamp: strconv.FormatInt(e.size, 36) + "-" + e.stamp})
	return nil
}

func (e *entry) stampReader() (io.Reader, error) {
	if e.packed != nil {
		return e.packed(), nil
	}
	return e.open()
}

// within lists what is in a member that has the name of an archive.
func (l *listing) within(in *input, id string, e *entry) error {
	data, err := l.read(in, e)
	if err != nil && e.reopen == nil {
		return err // nothing comes after it
	}
	if err != nil {
		why, ok := errors.AsType[*pipeline.Error](in.bytes.failure(err))
		if !ok || in.budget.spent != nil {
			return err
		}
		l.fault(id, why)
		return nil
	}
	err = l.archive(in.within(data, id))
	if !errors.Is(err, ErrNotArchive) {
		return err
	}
	if !l.wanted(id, false) {
		return nil
	}
	e.size, e.packed = int64(len(data)), func() io.Reader { return bytes.NewReader(data) }
	return l.document(id, e)
}

// read reads the bytes of an archive within.
func (l *listing) read(in *input, e *entry) ([]byte, error) {
	max := l.shelf.options.MaxBytes
	if e.reopen != nil {
		data, err := readAll(e.reopen, e.size, max)
		if err == nil {
			err = in.budget.unpack(int64(len(data)))
		}
		return data, err
	}
	return readAll(func() (io.ReadCloser, error) {
		r, err := e.open()
		return io.NopCloser(r), err
	}, e.size, max)
}

// readAll reads what open opens: size bytes, where that is not less than 0, and no more than max.
func readAll(open func() (io.ReadCloser, error), size, max int64) ([]byte, error) {
	if size > max {
		return nil, tooLarge(size, max)
	}
	r, err := open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b := bytes.NewBuffer(make([]byte, 0, bytes.MinRead+size))
	if _, err := b.ReadFrom(io.LimitReader(r, max+1)); err != nil {
		return nil, err
	}
	if int64(b.Len()) > max {
		return nil, tooLarge(int64(b.Len()), max)
	}
	return b.Bytes(), nil
}
