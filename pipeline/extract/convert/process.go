package convert

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
)

func machine(what string, err error) error {
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindMachine, "%s: %w", what, err)
}

func (f *folder) stdout() string { return filepath.Join(f.path, "stdout") }
func (f *folder) stderr() string { return filepath.Join(f.path, "stderr") }

// watchEvery is how often the size of the folder is looked at: a disk writes some 50 MB in that time.
const watchEvery = 100 * time.Millisecond

// run starts the program and waits until it has ended, or until it has been ended with all that it started: by ctx, by the time, by
// the size of what it writes. Its output goes to files, so that one look at the folder's size bounds that too, and so that no grandchild
// can keep a pipe open.
func (f *folder) run(ctx context.Context, limit time.Duration, program string, args []string) error {
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(limited, program, args...)
	cmd.Dir, cmd.Env = f.path, f.environment()
	prepare(cmd)
	files, err := f.redirect(cmd)
	if err != nil {
		return err
	}
	defer files.Close()
	if err := cmd.Start(); err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOEXEC) {
			return content.Unsupported("start %s: %w", filepath.Base(program), err)
		}
		return machine("start "+filepath.Base(program), err)
	}
	bound(cmd.Process.Pid)
	large, err := f.wait(cmd)
	name := filepath.Base(program)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return content.TimedOut("%s took longer than %s (the bound on time)", name, limit)
	case large:
		return content.TooLarge("%s writes more than %s (the bound on what it writes)", name, content.Bytes(maxFolder))
	case err != nil:
		return f.failure(name, err)
	}
	return nil
}

// wait waits for the program to end and reports whether it was ended for the size of what it wrote.
func (f *folder) wait(cmd *exec.Cmd) (large bool, err error) {
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	for {
		select {
		case err := <-done:
			kill(cmd) // what it has left running
			return large || f.size() > maxFolder, err
		case <-watch.C:
			if !large && f.size() > maxFolder {
				large = true
				kill(cmd)
			}
		}
	}
}

// redirect gives the program files for its output; its input is empty.
func (f *folder) redirect(cmd *exec.Cmd) (io.Closer, error) {
	stdout, err := os.OpenFile(f.stdout(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, machine("make a file for the converter", err)
	}
	stderr, err := os.OpenFile(f.stderr(), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		stdout.Close()
		return nil, machine("make a file for the converter", err)
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return closers{stdout, stderr}, nil
}

type closers []io.Closer

func (c closers) Close() error {
	var err error
	for _, one := range c {
		err = errors.Join(err, one.Close())
	}
	return err
}

// environment is all that a program sees of this process: never its keys. One thread each, since docbatch runs as many as there are cores.
func (f *folder) environment() []string {
	tmp := filepath.Join(f.path, "tmp")
	env := []string{"HOME=" + tmp, "TMPDIR=" + tmp, "TMP=" + tmp, "TEMP=" + tmp, "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "OMP_THREAD_LIMIT=1"}
	for _, name := range []string{"PATH", "SYSTEMROOT", "TESSDATA_PREFIX"} {
		if value := os.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// size is how much lies in the folder, in bytes. Files come and go while it looks: what it can't see it does not count.
func (f *folder) size() int64 {
	var sum int64
	_ = filepath.WalkDir(f.path, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}

// failure is the error of a program that ended with err.
func (f *folder) failure(name string, err error) error {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && endsRuns(status.Signal()) {
			return pipeline.ErrStopping // by what stops the run, or should
		}
	}
	said := f.said()
	if words := strings.ToLower(said); strings.Contains(words, "encrypt") || strings.Contains(words, "password") {
		return content.Encrypted("%s can't read it%s", name, said)
	}
	return content.Damaged("%s can't read it (%w)%s", name, err, said)
}

// endsRuns reports whether a signal is one that a whole service is sent when it is to end.
func endsRuns(s syscall.Signal) bool {
	return s == syscall.SIGTERM || s == syscall.SIGINT || s == syscall.SIGHUP
}

// maxSaid bounds what is told of a program's words, in bytes.
const maxSaid = 200

// said is the first line that the program said on its standard error, warnings aside, after a colon; "" where it said nothing.
func (f *folder) said() string {
	stderr, err := os.Open(f.stderr())
	if err != nil {
		return ""
	}
	defer stderr.Close()
	lines := bufio.NewScanner(io.LimitReader(stderr, 64<<10))
	for lines.Scan() {
		line := strings.ReplaceAll(lines.Text(), f.path+string(filepath.Separator), "")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "Warning") {
			return ": " + strings.ToValidUTF8(line[:min(len(line), maxSaid)], "")
		}
	}
	return ""
}
