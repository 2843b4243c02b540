package pdf

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/klippa-app/go-pdfium"
	"github.com/tetratelabs/wazero/api"
)

// A pointer is an address in an instance's memory, or one of PDFium's handles, which are addresses. 0 is none.
type pointer = uint64

// An instance is a PDFium with a memory of its own. Its methods do not return errors: the first, a trap, is kept in err, and from then on
// nothing is called and every result is 0. It is for one goroutine.
type instance struct {
	handle    pdfium.Pdfium
	module    api.Module
	memory    *memory
	functions map[string]api.Function
	err       error
}

// A function is one of PDFium's C interface (public/fpdf*.h), or of the C library.
type function struct {
	instance *instance
	api.Function
	stack [12]uint64
}

// function looks up a function: what is called for each character is looked up once.
func (in *instance) function(name string) *function {
	found, ok := in.functions[name]
	if !ok {
		found = in.module.ExportedFunction(name)
		in.functions[name] = found
	}
	return &function{instance: in, Function: found}
}

func (f *function) call(args ...uint64) uint64 {
	in := f.instance
	if in.err != nil {
		return 0
	}
	if f.Function == nil {
		in.err = errors.New("PDFium has no such function")
		return 0
	}
	copy(f.stack[:], args)
	if err := f.CallWithStack(context.Background(), f.stack[:]); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n") // without the stack
		in.err = errors.New(reason)
		return 0
	}
	return f.stack[0]
}

// call calls a function by its name.
func (in *instance) call(name string, args ...uint64) uint64 { return in.function(name).call(args...) }

// count calls a function that gives a number, or less than 0 where it cannot.
func (in *instance) count(name string, args ...uint64) int {
	return max(0, int(int32(in.call(name, args...))))
}

// alloc gives memory of size bytes, or 0 where there is no more. It ends with the instance.
func (in *instance) alloc(size int) pointer { return in.call("malloc", uint64(size)) }

// put copies bytes into new memory.
func (in *instance) put(data []byte) pointer {
	at := in.alloc(len(data) + 1)
	if at == 0 || !in.module.Memory().Write(uint32(at), data) || !in.module.Memory().WriteByte(uint32(at)+uint32(len(data)), 0) {
		return 0
	}
	return at
}

// file gives a file that PDFium reads data from as it needs it, an FPDF_FILEACCESS: the memory of an instance is kept for what is made of it.
func (in *instance) file(data []byte) pointer {
	wrapper, ok := in.handle.GetImplementation().(interface {
		CreateFileAccessReader(int64, io.ReadSeeker) (*uint64, *uint32, error)
	})
	if !ok {
		in.err = errors.New("this version of go-pdfium opens files in another way")
		return 0
	}
	file, _, err := wrapper.CreateFileAccessReader(int64(len(data)), bytes.NewReader(data))
	if err != nil {
		in.err = err
		return 0
	}
	return *file
}

// bytes is a view of memory, until the next call; shorter than asked for where memory is.
func (in *instance) bytes(at pointer, size int) []byte {
	view, _ := in.module.Memory().Read(uint32(at), uint32(size))
	return view
}

// text16 gives what a function writes as UTF-16LE into a buffer, which are its last two arguments, as many of PDFium's do: called without
// a buffer it says how many bytes it needs. What is longer than max bytes is "".
func (in *instance) text16(max int, name string, args ...uint64) string {
	size := in.count(name, append(args, 0, 0)...)
	if size <= 2 || size > max {
		return ""
	}
	at := in.alloc(size)
	defer in.call("free", at)
	if at == 0 || in.count(name, append(args, at, uint64(size))...) > size {
		return ""
	}
	return decode16(in.bytes(at, size-2))
}

func decode16(raw []byte) string {
	units := make([]uint16, len(raw)/2)
	for n := range units {
		units[n] = binary.LittleEndian.Uint16(raw[2*n:])
	}
	return string(utf16.Decode(units))
}

// close ends the instance and gives its memory back. No call may be in it.
func (in *instance) close() { in.handle.Close() } // after a trap it cannot close what is open, and need not
