package archive

import (
	"context"
	"errors"
	"strings"
	"sync"

	"docbatch/pipeline"
)

// The bounds on what a Shelf keeps beside the archive that was used last.
const (
	maxKept = 4        // archives
	maxHeld = 64 << 20 // bytes in memory
)

// heldMember is about what a member takes in memory while its archive is kept.
const heldMember = 512

// A Shelf lists archives and reads members in any order. It keeps the archives that were used last open: of those that can't be read in any
// order, the members lie in one temporary file without a name. It is used by many goroutines at once.
type Shelf struct {
	options Options

	unpacking sync.Mutex // held while an archive is unpacked: decoders remember much

	mu   sync.Mutex
	kept map[string]*kept // by ID of the archive and stamp of the file
	uses int64
}

// NewShelf makes a Shelf that keeps nothing yet.
func NewShelf(o Options) *Shelf { return &Shelf{options: o, kept: map[string]*kept{}} }

// A kept archive is open, or about to be.
type kept struct {
	loading sync.Mutex
	opened  *opened

	users int // what follows is Shelf.mu's
	used  int64
	held  int64 // bytes
	spool int64
}

// Read reads the member of that ID as it is now, and closes f.In. Errors of class Invalid are those that List has too, and KindRead for a
// member that is gone; of class Fatal, KindMachine, is a temporary file that can't be written. Others are ErrChanged, that of ctx, and
// what reading the file itself brought.
func (s *Shelf) Read(ctx context.Context, f File, id string) ([]byte, error) {
	defer func() {
		if f.In != nil {
			f.In.Close()
		}
	}()
	info, err := f.In.Stat()
	if err != nil {
		return nil, err
	}
	data, err := s.member(ctx, &f, s.options.Stamp(info), id)
	if errors.Is(err, ErrNotArchive) {
		err = fault(pipeline.KindRead, "it lay in an archive that is none any more")
	}
	if why, ok := errors.AsType[*pipeline.Error](err); ok && why.Class == pipeline.Invalid {
		err = faultAt(f.at(id), why)
	}
	return data, err
}

// Close lets go of all archives. No other method is called after it.
func (s *Shelf) Close() error {
	var errs []error
	for _, k := range s.kept {
		errs = append(errs, k.close())
	}
	s.kept = nil
	return errors.Join(errs...)
}

// member reads a member, or an archive within, from the archive that it lies in.
func (s *Shelf) member(ctx context.Context, f *File, stamp, id string) ([]byte, error) {
	archive := id[:max(strings.LastIndex(id, Border), 0)]
	key := archive + "\x00" + stamp
	k := s.take(key)
	defer s.release(k)
	o, err := s.open(ctx, f, k, stamp, archive)
	if err != nil {
		return nil, err
	}
	data, err := o.read(id, s.options.MaxBytes)
	if changed := s.changed(o, stamp); changed != nil {
		return nil, changed // and no file will have this stamp again
	}
	return data, err
}

// changed is ErrChanged where the file of an archive has another stamp now.
func (s *Shelf) changed(o *opened, stamp string) error {
	if o.file == nil {
		return nil
	}
	info, err := o.file.Stat()
	if err == nil && s.options.Stamp(info) != stamp {
		err = ErrChanged
	}
	return err
}

// take finds or makes the entry of a key, which is kept until it is released.
func (s *Shelf) take(key string) *kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.kept[key]
	if k == nil {
		k = &kept{}
		s.kept[key] = k
	}
	s.uses++
	k.users++
	k.used = s.uses
	return k
}

// release ends a use. What is over the bounds then and not in use is closed, but for what was used last.
func (s *Shelf) release(k *kept) {
	s.mu.Lock()
	k.users--
	var idle []*kept
	for s.over() {
		oldest := s.oldest()
		if oldest == "" {
			break
		}
		idle = append(idle, s.kept[oldest])
		delete(s.kept, oldest)
	}
	s.mu.Unlock()
	for _, k := range idle {
		k.close() // nothing was written that could be lost
	}
}

func (s *Shelf) over() bool {
	var held, spool int64
	for _, k := range s.kept {
		held, spool = held+k.held, spool+k.spool
	}
	return len(s.kept) > maxKept || held > maxHeld || spool > maxUnpacked
}

// oldest is the key of what is longest not in use; "" where that was used last.
func (s *Shelf) oldest() string {
	oldest, used := "", s.uses
	for key, k := range s.kept {
		if k.users == 0 && k.used < used {
			oldest, used = key, k.used
		}
	}
	return oldest
}

func (k *kept) close() error {
	if k.opened == nil {
		return nil
	}
	return k.opened.close()
}

// open opens the archive of an entry, unless it is open.
func (s *Shelf) open(ctx context.Context, f *File, k *kept, stamp, id string) (*opened, error) {
	k.loading.Lock()
	defer k.loading.Unlock()
	if k.opened != nil {
		return k.opened, nil
	}
	o := &opened{places: map[string]place{}}
	var in *input
	if id == f.ID {
		info, err := f.In.Stat()
		if err != nil {
			return nil, err
		}
		in = newInput(f.In, info.Size(), id)
		o.file, f.In = f.In, nil
	} else {
		data, err := s.member(ctx, f, stamp, id)
		if err != nil {
			return nil, err
		}
		in = newInput(strings.NewReader(string(data)), int64(len(data)), id)
		in.depth += strings.Count(id, Border)
	}
	err := s.load(ctx, o, in)
	if changed := s.changed(o, stamp); changed != nil && ctx.Err() == nil {
		err = changed
	}
	if err != nil {
		o.close()
		return nil, err
	}
	k.opened = o
	s.mu.Lock()
	defer s.mu.Unlock()
	k.held, k.spool = int64(len(o.places))*heldMember, o.spool.size
	if in.depth > 1 {
		k.held += in.size
	}
	return o, nil
}
