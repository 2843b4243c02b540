package extract

import (
	"context"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

// PoolOptions say how documents are read.
type PoolOptions struct {
	Command []string      // starts a child process, which calls Serve; its first element is the program
	Size    int           // documents read at once, each in a process of its own; at least 1
	Time    time.Duration // the longest for one document; 0 for DefaultTime

	Passwords []string // to try on encrypted documents, in order
	Options   content.Options
	Bounds    *content.Bounds // nil for content.DefaultBounds
}

// DefaultTime is how long reading one document may take.
const DefaultTime = 45 * time.Second

// startTime is how long a child may take until it can begin to read: the first one ever compiles the library for PDF, 10 s of CPU.
const startTime = 5 * time.Minute

// grace is how long a child whose time is over has to give what it read so far.
const grace = 3 * time.Second

// A Pool reads documents in child processes of this program: some libraries can be neither bounded nor stopped from inside, and what a
// hostile file does to the process is done to one that holds nothing else. A process is started when there is a document for it, and
// replaced when it ends, whatever ends it. It is used by many goroutines at once.
type Pool struct {
	opts PoolOptions
	idle chan *child // as many as there may be; nil for one that is to be started
}

// NewPool makes a pool. It starts nothing yet.
func NewPool(o PoolOptions) *Pool {
	o.Size = max(1, o.Size)
	if o.Time <= 0 {
		o.Time = DefaultTime
	}
	if o.Bounds == nil {
		o.Bounds = content.DefaultBounds()
	}
	p := &Pool{opts: o, idle: make(chan *child, o.Size)}
	for range o.Size {
		p.idle <- nil
	}
	return p
}

func (p *Pool) bounds() *content.Bounds { return p.opts.Bounds }

// hold keeps one of the processes from being used while something else uses its core. It waits for one that is free.
func (p *Pool) hold(ctx context.Context) (release func(), err error) {
	select {
	case c := <-p.idle:
		return func() { p.idle <- c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read reads a document of a media type that isRead knows. It waits for a free process. Errors are those of a reader, or ctx's; a document that
// takes too much time or memory, or that ends the process, is of class Invalid. That no process can be started is fatal.
func (p *Pool) read(ctx context.Context, name, mediaType string, data []byte) (*response, error) {
	var c *child
	select {
	case c = <-p.idle:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { p.idle <- c }()
	req := &request{Name: name, MediaType: mediaType, Size: len(data), data: data, Passwords: p.opts.Passwords,
		Options: p.opts.Options, Bounds: *p.opts.Bounds, Time: p.opts.Time}
	res, err := p.try(ctx, &c, req)
	if errors.Is(err, errLost) {
		res, err = p.try(ctx, &c, req)
	}
	if errors.Is(err, errLost) {
		err = pipeline.Errorf(pipeline.Fatal, pipeline.KindMachine, "%w twice: see whether memory is short, and what else may have ended it", err)
	}
	return res, err
}

// try has the process c read a document, or a fresh one where there is none. It leaves nil in c where the process is of no use any more.
func (p *Pool) try(ctx context.Context, c **child, req *request) (res *response, err error) {
	if *c == nil {
		if *c, err = start(p.opts.Command); err != nil {
			return nil, pipeline.Errorf(pipeline.Fatal, pipeline.KindMachine, "start a process that reads documents: %w", err)
		}
	}
	began := time.Now()
	res, err = (*c).read(ctx, req)
	if err != nil || res.Last {
		(*c).kill()
		*c = nil
	}
	if err != nil {
		return nil, err
	}
	res.took = time.Since(began)
	if res.Content == nil {
		res.Content = &content.Content{}
	}
	if res.Class != "" {
		class := pipeline.Invalid
		if res.Class != class {
			class = pipeline.Internal // a process that reads hostile documents does not stop a run
		}
		return res, pipeline.Errorf(class, res.Kind, "%s", res.Message)
	}
	return res, nil
}

// Close ends the processes. No Read may be under way, nor come later.
func (p *Pool) Close() {
	for range p.opts.Size {
		if c := <-p.idle; c != nil {
			c.kill()
		}
	}
}

// A child is one process, and the streams to it.
type child struct {
	cmd    *exec.Cmd
	words  *tail // what it wrote to stderr
	in     io.Writer
	enc    *gob.Encoder // onto in
	dec    *gob.Decoder
	out    *allowance // what dec reads
	waited func() error
}

// errLost is the error of a document whose process ended for a reason of its own: before it began to read, or by a signal from outside.
var errLost = errors.New("the process that reads documents was ended")

// start starts a child. It gets no secret: its environment is empty but for where temporary files and caches are.
func start(command []string) (*child, error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Args[0] = "docbatch"
	cmd.Env = environment()
	cmd.SysProcAttr = attributes()
	c := &child{cmd: cmd, words: &tail{}}
	cmd.Stderr = c.words
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c.out = &allowance{from: out}
	c.in, c.enc, c.dec, c.waited = in, gob.NewEncoder(in), gob.NewDecoder(c.out), sync.OnceValue(cmd.Wait)
	return c, nil
}

// passed are the variables that a child gets.
var passed = []string{"PATH", "HOME", "TMPDIR", "TMP", "TEMP", "XDG_CACHE_HOME", "SystemRoot", "LocalAppData", "USERPROFILE", "GOCOVERDIR"}

func environment() []string {
	env := []string{}
	for _, key := range passed {
		if value, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+value)
		}
	}
	return env
}

// read sends one document and waits for what the child gives back. With an error the child is of no use any more.
func (c *child) read(ctx context.Context, req *request) (*response, error) {
	res := &response{}
	begun, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- c.converse(req, res, begun) }()
	late := time.NewTimer(startTime)
	defer late.Stop()
	for {
		select {
		case <-begun:
			late.Reset(req.Time + grace)
			begun = nil
		case err := <-done:
			switch {
			case err == nil:
				return res, nil
			case begun != nil:
				return nil, errLost
			case errors.Is(err, errTooMuch):
				return nil, content.TooLarge("the process that reads documents gives more than %s of it (the bound on what it gives)", content.Bytes(int64(req.Bounds.Text)+besidesText))
			}
			return nil, c.ended()
		case <-late.C:
			c.kill()
			<-done
			if begun != nil {
				return nil, pipeline.Errorf(pipeline.Fatal, pipeline.KindMachine, "the process that reads documents did not start within %v", startTime)
			}
			return nil, timedOut(req.Time)
		case <-ctx.Done():
			c.kill()
			<-done
			return nil, ctx.Err()
		}
	}
}

// converse sends the document and takes what the child gives back; begun is closed when it begins to read.
func (c *child) converse(req *request, res *response, begun chan<- struct{}) error {
	if err := c.enc.Encode(req); err != nil {
		return errLost
	}
	if _, err := c.in.Write(req.data); err != nil {
		return errLost
	}
	c.out.left = besidesText
	var ready response
	if err := c.dec.Decode(&ready); err != nil {
		return err
	}
	close(begun)
	c.out.left = int64(req.Bounds.Text) + besidesText
	return c.dec.Decode(res)
}

// besidesText is what a child may give besides a document's text, in bytes: pictures, warnings, what the document says of itself.
const besidesText = 64 << 20

// errTooMuch is the error of a child that gives more than any reader does: a document has taken it over.
var errTooMuch = errors.New("it gives more than a reader may")

// An allowance reads what a child sends, up to so many bytes: nothing that it says of lengths is believed beyond that.
type allowance struct {
	from io.Reader
	left int64
}

func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, errTooMuch
	}
	n, err := a.from.Read(p[:min(int64(len(p)), a.left)])
	a.left -= int64(n)
	return n, err
}

// kill ends the process, and waits until it has.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.waited()
}

// ended says why a process ended that should have given an answer.
func (c *child) ended() error {
	exited := make(chan error, 1)
	go func() { exited <- c.waited() }()
	var err error
	select {
	case err = <-exited:
		if status, ok := c.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() && isFromOutside(status.Signal()) {
			return errLost
		}
	case <-time.After(leaveTime): // it only closed its streams
		_ = c.cmd.Process.Kill()
		err = <-exited
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == exitMemory {
		return content.TooLarge("reading it takes more than %s of memory (the bound on memory)", content.Bytes(memoryBound))
	}
	if words := c.words.first(); words != "" {
		return content.Damaged("reading it ended the process that reads documents: %s", words)
	}
	return content.Damaged("reading it ended the process that reads documents: %v", c.cmd.ProcessState)
}

// leaveTime is how long a process may take to end that has closed its streams.
const leaveTime = time.Second

// isFromOutside reports whether a signal is one that people, or a machine without memory, send to processes; others are a process's own doing.
func isFromOutside(s syscall.Signal) bool {
	return s == syscall.SIGKILL || s == syscall.SIGTERM || s == syscall.SIGINT || s == syscall.SIGHUP
}

func timedOut(limit time.Duration) error {
	return content.TimedOut("reading it takes longer than %v (the bound on time)", limit)
}

// A tail keeps the beginning of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[:min(len(p), tailBytes-len(t.text))]...)
	return len(p), nil
}

// first is the first line that says something.
func (t *tail) first() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for line := range strings.Lines(string(t.text)) {
		if line = strings.TrimSpace(line); line != "" {
			return line
		}
	}
	return ""
}
