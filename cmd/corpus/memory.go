package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// How often memory is looked at. It takes a few milliseconds of a core: seldom where speed is measured.
const (
	often  = 20 * time.Millisecond
	seldom = 500 * time.Millisecond
)

// A watch measures the most memory that a process and all below it had resident at one time, in bytes. It stays 0 where there is no /proc.
type watch struct {
	peak int64
	end  chan struct{}
	over sync.WaitGroup
}

// watchTree looks at a process until stop is called.
func watchTree(pid int, every time.Duration) *watch {
	w := &watch{end: make(chan struct{})}
	w.over.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			w.peak = max(w.peak, residentTree(pid))
			select {
			case <-tick.C:
			case <-w.end:
				return
			}
		}
	})
	return w
}

// stop gives the peak.
func (w *watch) stop() int64 {
	close(w.end)
	w.over.Wait()
	return w.peak
}

// residentTree is what a process and those below it have resident now. What they share is counted for each.
func residentTree(pid int) int64 {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	below := map[int][]int{}
	resident := map[int]int64{}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil { // it has ended
			continue
		}
		child, parent, size := parseStat(stat)
		below[parent] = append(below[parent], child)
		resident[child] = size
	}
	var sum int64
	for todo := []int{pid}; len(todo) > 0; {
		next := todo[len(todo)-1]
		todo = append(todo[:len(todo)-1], below[next]...)
		sum += resident[next]
	}
	return sum
}

// parseStat reads Linux's /proc/PID/stat, whose second field is a name in brackets that may hold anything: proc_pid_stat(5).
func parseStat(stat []byte) (pid, parent int, resident int64) {
	before, _, _ := bytes.Cut(stat, []byte(" "))
	pid, _ = strconv.Atoi(string(before))
	rest := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(rest) < 22 {
		return pid, 0, 0
	}
	parent, _ = strconv.Atoi(string(rest[1]))
	pages, _ := strconv.ParseInt(string(rest[21]), 10, 64)
	return pid, parent, pages * int64(os.Getpagesize())
}
