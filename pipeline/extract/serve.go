package extract

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"syscall"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/mediatype"
)

// What a child process may take. The kill comes above what the collector is told to keep to: most documents that need more for a
// moment do not need it all at once.
const (
	memoryGoal  = 192 << 20 // of Go's heap, before the collector hurries
	memoryBound = 400 << 20 // of the process; beyond it ends itself
	memoryRest  = 160 << 20 // of the process between two documents; a fresh one takes its place beyond it
	memoryLook  = 20 * time.Millisecond

	maxStack = 64 << 20
)

// exitMemory is the exit code of a child that took more than memoryBound.
const exitMemory = 97

// largeRequest is the size of a document, in bytes, after which a process ends: it holds more memory than it needs for the next.
const largeRequest = 4 << 20

// A request is what a child is sent for a document, and a response what it gives back; both as gob on its standard streams. The document
// itself follows the request as it is: gob would copy it once on each side, and keep buffers of its size.
type request struct {
	Name      string
	MediaType string
	Size      int // of data
	Passwords []string
	Options   content.Options
	Bounds    content.Bounds
	Time      time.Duration

	data []byte
}

type response struct {
	Ready bool // reading begins: the response proper follows

	Content *content.Content
	Class   pipeline.Class // of the error; "" for none
	Kind    string
	Message string
	Memory  int64 // the most that the process took while it read the document, in bytes
	Last    bool  // the child ends: it has taken too much memory to go on with

	took time.Duration // as the parent measures it
}

// Serve is a child process of Pool: it reads the documents that come in over in, one after the other, and sends what it read to out.
// It returns when in ends. A document that takes too much memory ends the process.
func Serve(in io.Reader, out io.Writer, cacheDir string) error {
	os.Stdout = os.Stderr                                        // what a library prints is no response
	signal.Ignore(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // the terminal's are meant for the parent, which then closes in
	debug.SetMaxStack(maxStack)
	runtime.GOMAXPROCS(2) // one document at a time, and what watches it
	watch := watchMemory(memoryBound, func() { os.Exit(exitMemory) })
	defer watch.stop()
	readers := NewReaders(cacheDir)
	defer readers.Close()
	buffered := bufio.NewReaderSize(in, 64<<10) // of which gob reads no more than it needs
	dec, enc := gob.NewDecoder(buffered), gob.NewEncoder(out)
	for {
		var req request
		if err := dec.Decode(&req); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request: %w", err)
		}
		req.data = make([]byte, req.Size)
		if _, err := io.ReadFull(buffered, req.data); err != nil {
			return fmt.Errorf("read a document: %w", err)
		}
		warmUp(readers, req.MediaType)
		if err := enc.Encode(&response{Ready: true}); err != nil {
			return fmt.Errorf("say that reading begins: %w", err)
		}
		res := answer(readers, &req, watch)
		if err := enc.Encode(res); err != nil {
			return fmt.Errorf("send what was read: %w", err)
		}
		if res.Last {
			return nil
		}
	}
}

// warmUp starts what the documents of a media type need, which may take more memory than a document: nothing that it does depends on one.
func warmUp(readers *Readers, mediaType string) {
	debug.SetMemoryLimit(math.MaxInt64)
	if readers.warm(context.Background(), mediaType) {
		debug.FreeOSMemory()
	}
	debug.SetMemoryLimit(memoryGoal)
}

// answer reads one document.
func answer(readers *Readers, req *request, watch *memoryWatch) *response {
	ctx, cancel := context.WithTimeout(context.Background(), req.Time)
	defer cancel()
	watch.peak.Store(resident())
	watch.armed.Store(true)
	defer watch.armed.Store(false)
	if req.MediaType == mediatype.PDF {
		// The collector waits for a call into PDFium, and all else waits for the collector: time and memory would not be watched.
		defer debug.SetGCPercent(debug.SetGCPercent(-1)) // memoryGoal holds
	}
	large := len(req.data) > largeRequest
	c, err := readers.Read(ctx, &content.File{Name: req.Name, MediaType: req.MediaType, Data: req.data, Passwords: req.Passwords,
		Options: req.Options, Bounds: &req.Bounds})
	res := &response{Content: c, Memory: max(watch.peak.Load(), resident())}
	if errors.Is(err, context.DeadlineExceeded) {
		err = timedOut(req.Time)
	}
	if err != nil {
		e := pipeline.AsError(err)
		res.Class, res.Kind, res.Message = e.Class, e.Kind, e.Error()
	}
	*req = request{}
	if resident() > memoryRest {
		debug.FreeOSMemory()
		res.Last = resident() > memoryRest
	}
	res.Last = res.Last || large || readers.pdf.Stuck()
	return res
}

// A memoryWatch looks how much memory the process takes.
type memoryWatch struct {
	peak  atomic.Int64
	armed atomic.Bool // a document is being read
	end   chan struct{}
	ended chan struct{}
}

// watchMemory starts to look; over is called when it is more than bound.
func watchMemory(bound int64, over func()) *memoryWatch {
	w := &memoryWatch{end: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(w.ended)
		tick := time.NewTicker(memoryLook)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-w.end:
				return
			}
			now := resident()
			w.peak.Store(max(w.peak.Load(), now))
			if now > bound && w.armed.Load() {
				over()
			}
		}
	}()
	return w
}

func (w *memoryWatch) stop() {
	close(w.end)
	<-w.ended
}

// heap is how much memory Go holds, in bytes.
func heap() int64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return int64(samples[0].Value.Uint64() - samples[1].Value.Uint64())
}
