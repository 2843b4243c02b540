package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"docbatch/jobs/sqlite"
)

// Free space below which a run may not get far, and below which it may not get through the night.
const (
	spaceLeast = 100 << 20
	spaceGood  = 1 << 30
)

// state looks at the state file, or at the folder that it will be in.
func (d *doctor) state(ctx context.Context) {
	path := d.job.state
	if network := networkOf(filepath.Dir(path)); network != "" {
		d.warn("state", "Put it on a disk of this machine with --state: the lock and the log of a state file can't be relied on elsewhere.",
			"%s is on %s", path, network)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		d.newState(path)
		return
	}
	var size sqlite.Size
	var runs []sqlite.Run
	err := sqlite.Look(ctx, path, func(r *sqlite.Reader) (err error) {
		if size, err = r.Size(ctx); err == nil {
			runs, err = r.Runs(ctx, 1)
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist): // a link to where nothing is yet
		d.newState(path)
	case errors.Is(err, sqlite.ErrOlder):
		d.warn("state", "The next run brings it up to date and keeps a copy.", "%v", err)
	case err != nil:
		d.fail("state", "Name another file with --state, or see that this one can be read.", err)
		return
	default:
		d.ok("state", "%s (%s): %s, %s, schema %d; docbatch check reads all of it", absolute(path), bytesInWords(stateBytes(path)),
			plural(size.Documents, "document"), plural(size.Answers, "answer"), size.Schema)
	}
	if err := cmp.Or(fileWritable(path), folderWritable(filepath.Dir(path))); err != nil {
		d.fail("state", "Let the user that runs docbatch write to it and to its folder.", err)
	}
	holder := d.lock(path)
	if len(runs) > 0 {
		d.lastRun(runs[0], holder)
	}
}

// newState looks at where a state file will be made.
func (d *doctor) newState(path string) {
	if err := checkStateFolder(path); err != nil {
		d.fail("state", "", err)
	} else if err := folderWritable(filepath.Dir(path)); err != nil {
		d.fail("state", "Let the user that runs docbatch write there, or name another file with --state.", err)
	} else {
		d.ok("state", "%s is not there yet: the first run makes it", absolute(path))
	}
}

// lock says who holds the state file.
func (d *doctor) lock(path string) (holder string) {
	holder, err := sqlite.Holder(path)
	switch {
	case err != nil:
		d.fail("lock", "Let the user that runs docbatch read and write it: another user's run made it.", err)
	case holder != "":
		d.warn("lock", "A run that begins now ends with exit 11, or waits for this one with --wait-lock 10m.", "held by %s", holder)
	default:
		d.ok("lock", "nobody holds it")
	}
	return holder
}

// lastRun says how the newest run ended.
func (d *doctor) lastRun(r sqlite.Run, holder string) {
	d.lastEnd = r.Ended
	words := fmt.Sprintf("run %d, %s to %s, exit %d", r.Num, localTime(r.Started), localTime(r.Ended), r.Exit)
	var s summary
	if err := json.Unmarshal(r.Summary, &s); err == nil && s.Error != "" {
		words += ": " + oneLine(s.Error, lineWidth)
	}
	switch {
	case r.Ended.IsZero() && holder == "":
		d.warn("last run", "The next run goes on where it stood. If nobody killed it, look for the cause: memory, a restart of the machine.",
			"run %d, since %s, was killed", r.Num, localTime(r.Started))
	case r.Ended.IsZero():
		d.ok("last run", "run %d goes on, since %s", r.Num, localTime(r.Started))
	case !expected(r.Exit):
		d.warn("last run", "docbatch status lists the causes, README.md what the exit codes mean.", "%s", words)
	default:
		d.ok("last run", "%s", words)
	}
}

// expected reports whether a run may end so without anything being wrong.
func expected(exit int) bool {
	switch exit {
	case exitOK, exitQuota, exitInterrupt, exitTerminated:
		return true
	}
	return false
}

// stateBytes is the size of a state file with its log.
func stateBytes(path string) (n int64) {
	for _, file := range []string{path, path + "-wal"} {
		if info, err := os.Stat(file); err == nil {
			n += info.Size()
		}
	}
	return n
}

// disk looks at the free space where the state file and the outputs are.
func (d *doctor) disk() {
	dirs := []string{filepath.Dir(d.job.state)}
	for _, path := range d.job.outputs {
		dirs = append(dirs, filepath.Dir(path))
	}
	seen := map[string]bool{}
	for _, dir := range dirs {
		dir = realPath(dir)
		free, known := freeBytes(dir)
		if seen[dir] || !known {
			continue
		}
		seen[dir] = true
		d.add(judgeSpace(dir, free, stateBytes(d.job.state)))
	}
}

// judgeSpace says whether the free bytes of a folder are enough beside a state file of so many bytes.
func judgeSpace(dir string, free uint64, state int64) finding {
	f := finding{Check: "disk", Status: statusOK, Found: fmt.Sprintf("%s free in %s", bytesInWords(int64(free)), dir)}
	switch {
	case free < spaceLeast:
		f.Status, f.Exit = statusError, exitFailed
		f.Next = "Make room: at least 1 GiB. A run whose disk is full stops, and loses no stored answer."
	case free < spaceGood || free < 2*uint64(state):
		f.Status = statusWarning
		f.Next = fmt.Sprintf("Make room: at least 1 GiB, and twice the state file (%s).", bytesInWords(state))
	}
	return f
}

// bytesInWords is a number of bytes as a person reads it.
func bytesInWords(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	unit, v := 0, float64(n)/(1<<10)
	for v >= 1<<10 {
		unit, v = unit+1, v/(1<<10)
	}
	return fmt.Sprintf("%.1f %ciB", v, units[unit])
}

// outputs looks whether the outputs can be written.
func (d *doctor) outputs() {
	if len(d.job.outputs) == 0 {
		d.ok("output", "none is named; docbatch export -o FILE writes one at any time")
	}
	sound := true
	for _, path := range d.job.outputs {
		if err := checkOutputs([]string{path}, d.job.protected()); err != nil {
			sound = false
			d.fail("output", "", err)
			continue
		}
		d.ok("output", "%s can be written", absolute(path))
	}
	if !sound {
		return
	}
	if err := checkOutputs(d.job.outputs, nil); err != nil { // one of them twice
		d.fail("output", "Name it once.", err)
	}
}

// fileWritable says why a file that is there can't be written to. It changes nothing.
func fileWritable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}
