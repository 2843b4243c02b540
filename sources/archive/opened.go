package archive

import (
	"context"
	"errors"
	"io"
	"os"

	"docbatch/pipeline"
)

// load finds the places of an archive's members.
func (s *Shelf) load(ctx context.Context, o *opened, in *input) error {
	s.unpacking.Lock()
	defer s.unpacking.Unlock()
	o.in = in.bytes
	err := walk(ctx, in, func(id string, e *entry) error { return o.add(id, e, s.options.MaxBytes) })
	if why, ok := errors.AsType[*pipeline.Error](err); ok && why.Kind == pipeline.KindDamaged {
		o.broken, err = why, nil
	}
	return err
}

// An opened archive is one whose members can be read in any order.
type opened struct {
	in     *source
	file   *os.File // nil for one in memory
	spool  spool
	places map[string]place // by ID of the member
	broken *pipeline.Error  // where it is damaged after the members in places
}

// A place is where a member lies.
type place struct {
	in       io.ReaderAt
	at, size int64
	reopen   func() (io.ReadCloser, error) // in place of these
	fault    *pipeline.Error               // in place of all
}

// add notes the place of a member, which is put into the spool where it has none of its own.
func (o *opened) add(id string, e *entry, maxBytes int64) error {
	p := place{fault: e.fault, reopen: e.reopen, size: e.size}
	switch {
	case p.fault != nil:
	case e.size > maxBytes:
		p.fault = tooLarge(e.size, maxBytes)
	case p.reopen != nil:
	case e.at > 0:
		p.in, p.at = o.in, e.at
	default:
		in, err := e.open()
		if err != nil {
			return err
		}
		p.in, p.at = &o.spool, o.spool.size
		if p.size, err = io.Copy(&o.spool, io.LimitReader(in, maxBytes+1)); err != nil {
			return err
		}
		if p.size > maxBytes {
			p.fault = tooLarge(p.size, maxBytes)
		}
	}
	o.places[id] = p
	return nil
}

// read reads a member.
func (o *opened) read(id string, maxBytes int64) ([]byte, error) {
	p, ok := o.places[id]
	switch {
	case ok && p.fault != nil:
		return nil, p.fault
	case ok && p.reopen != nil:
		data, err := readAll(p.reopen, p.size, maxBytes)
		return data, o.in.failure(err)
	case ok:
		data := make([]byte, p.size)
		_, err := io.ReadFull(io.NewSectionReader(p.in, p.at, p.size), data)
		return data, o.in.failure(err)
	case o.broken != nil:
		return nil, o.broken
	}
	return nil, fault(pipeline.KindRead, "the archive has no such member any more")
}

func (o *opened) close() error {
	var err error
	if o.file != nil {
		err = o.file.Close()
	}
	return errors.Join(err, o.spool.close())
}
