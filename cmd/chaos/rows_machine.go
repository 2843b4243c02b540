package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
)

// diskFull puts the state file where there is little space, and then gives it more.
func diskFull(g *rig) {
	dir, grow := g.tmpfs("small", 2<<10)
	g.stateFile = filepath.Join(dir, "docbatch.db")
	g.documents(of(g, 400, 1000))
	a := g.serve("--latency", "10ms")
	g.wantExit("the run", g.run(a.url), 1, "no space", "is full", "disk full")
	g.note("%d answers were stored until then", len(g.acknowledged))
	g.wantNothingFailed()
	g.mayRepeat = workers // what was being answered
	grow(64 << 10)
	g.wantExit("with more space", g.run(a.url), 0)
}

// callFails makes system call number N on the state files fail, with a state file of its own for each N, and then lets the same
// command go on.
func callFails(g *rig, calls, errno string) {
	numbers := []int{1, 2, 3, 5, 8, 13, 21, 34}
	if !g.short {
		numbers = nil
		for n := range 100 {
			numbers = append(numbers, n+1)
		}
	}
	failed, stopped := 0, 0
	for _, n := range numbers {
		if injected, exit := oneCallFails(g, n, calls, errno); injected > 0 {
			failed++
			if exit != 0 {
				stopped++
			}
		}
		if len(g.result.faults) > 0 {
			return
		}
	}
	g.note("%d of %d runs met the fault and %d of them stopped; all went on afterwards", failed, len(numbers), stopped)
	g.want(failed > 0, "no run met the fault")
}

func oneCallFails(g *rig, n int, calls, errno string) (injected, exit int) {
	g.fresh(fmt.Sprintf("N = %d", n))
	g.documents(of(g, 50, 150)) // two calls of fsync each, with so few workers
	a := g.serve()
	log := g.underStrace(n, calls, errno)
	l := g.run(a.url, "--workers", "2")
	injected = g.injected(log)
	switch {
	case l.exit == 0:
		g.wantAllStored()
	case injected == 0:
		g.fault("exit %d without a fault: %s", l.exit, lastError(l))
	default:
		g.want(l.exit == 1, "exit %d, want 1: %s", l.exit, lastError(l))
		g.want(l.says("docbatch.db"), "it does not name the file: %s", lastError(l))
	}
	g.mayRepeat = workers
	g.prefix = nil
	g.wantExit("once it is mended", g.run(a.url), 0)
	return injected, l.exit
}

// wantAllStored notes a run that says that all went well, and it did not.
func (g *rig) wantAllStored() {
	records, err := g.records()
	g.must(err)
	stored := 0
	for _, rec := range records {
		if hasAnswer(rec) {
			stored++
		}
	}
	g.want(stored == len(g.docs), "exit 0 with %d of %d answers stored", stored, len(g.docs))
}

// fewDescriptors gives docbatch fewer file descriptors than its workers need: from the start, and then in the middle of a run.
func fewDescriptors(g *rig) {
	g.documents(of(g, 100, 1000))
	a := g.serve("--latency", "50ms")
	says := []string{"open files", "file descriptors"}
	g.prefix = []string{"sh", "-c", `ulimit -n 12; exec "$@"`, "sh"}
	l := g.run(a.url)
	g.want(l.exit == 1 || l.exit == 2, "from the start: exit %d, want 1 or 2", l.exit)
	g.want(l.says(says...), "from the start: it does not say why: %s", lastError(l))
	g.want(g.asked() == 0, "%d requests were sent", g.asked())

	g.prefix = nil
	p := g.begin(a.url)
	g.untilAsked(p, len(g.docs)/2)
	pid := strconv.Itoa(p.cmd.Process.Pid)
	g.must(said(exec.CommandContext(g.ctx, needPrlimit, "--pid", pid, "--nofile=8:8")))
	l = p.wait()
	g.wantExit("in its middle", l, 1, says...)
	g.note("%s", lastError(l))
	g.wantNothingFailed()
	g.mayRepeat = workers
	g.wantExit("with enough of them", g.run(a.url), 0)
}
