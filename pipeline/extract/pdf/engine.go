package pdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// startTime bounds the making of an instance, which takes some milliseconds.
const startTime = time.Minute

// An engine is PDFium, compiled: it makes instances.
type engine struct {
	pool  pdfium.Pool
	cache wazero.CompilationCache // nil where none is kept

	mu      sync.Mutex // for making instances
	started api.Module // of the instance that was made last
	memory  *memory    // of the same
}

// newEngine compiles PDFium, or takes what another process has left in cacheDir. Of several processes that find an empty folder one compiles
// (4 s of CPU) and the others wait for it.
func newEngine(ctx context.Context, cacheDir string) (_ *engine, err error) {
	e := &engine{}
	config := wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling)
	if cacheDir != "" {
		if e.cache, err = wazero.NewCompilationCacheWithDir(cacheDir); err != nil {
			return nil, fmt.Errorf("the folder of compiled programs: %w", err)
		}
		config = config.WithCompilationCache(e.cache)
		defer lockEmpty(ctx, cacheDir)()
	}
	ctx = context.WithoutCancel(ctx)
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(_, _ uint64) experimental.LinearMemory {
		e.memory = newMemory()
		return e.memory
	}))
	ctx = experimental.WithFunctionListenerFactory(ctx, experimental.FunctionListenerFactoryFunc(e.listener))
	e.pool, err = webassembly.Init(webassembly.Config{
		Context:       ctx,
		MaxTotal:      -1,                   // one, and those that a Reader is stuck in
		FSConfig:      wazero.NewFSConfig(), // none: by default it mounts the whole disk
		RuntimeConfig: config,
		Stdout:        io.Discard,
		Stderr:        io.Discard,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start PDFium: %w", err), e.close())
	}
	return e, nil
}

// lockEmpty waits for the process that compiles into an empty folder first, and is that process where there is none. Without the lock, which
// some file systems do not know, more than one compiles, and each writes the same.
func lockEmpty(ctx context.Context, cacheDir string) (unlock func()) {
	if compiled, _ := filepath.Glob(filepath.Join(cacheDir, "wazero-*", "*")); len(compiled) > 0 {
		return func() {}
	}
	lock := flock.New(filepath.Join(cacheDir, "compiling"))
	if locked, err := lock.TryLockContext(ctx, lockPoll); err != nil || !locked {
		return func() {}
	}
	return func() { lock.Unlock() } // it ends with the process at the latest
}

// lockPoll is how often a process looks whether another has compiled.
const lockPoll = 50 * time.Millisecond

// listener notes the module of each instance as it starts. The wrapper offers no way to PDFium's own functions, and by its own a page's
// characters cost an allocation each and their boxes cannot be had in few calls.
func (e *engine) listener(def api.FunctionDefinition) experimental.FunctionListener {
	if !slices.Contains(def.ExportNames(), "FPDF_InitLibrary") {
		return nil
	}
	return experimental.FunctionListenerFunc(
		func(_ context.Context, module api.Module, _ api.FunctionDefinition, _ []uint64, _ experimental.StackIterator) {
			e.started = module
		})
}

// instance makes an instance. It has a memory of its own, which ends with it.
func (e *engine) instance() (*instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	handle, err := e.pool.GetInstance(startTime)
	if err != nil {
		return nil, fmt.Errorf("start PDFium: %w", err)
	}
	return &instance{handle: handle, module: e.started, memory: e.memory, functions: map[string]api.Function{}}, nil
}

func (e *engine) close() error {
	var err error
	if e.pool != nil {
		err = e.pool.Close()
	}
	if e.cache != nil {
		err = errors.Join(err, e.cache.Close(context.Background()))
	}
	return err
}
