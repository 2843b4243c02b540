package main

import (
	"os"
	"time"
)

// half has half of the documents answered, and the agent go on.
func half(g *rig, n int) *agent {
	g.documents(n)
	a := g.serve("--latency", "20ms")
	p := g.begin(a.url)
	g.untilAsked(p, n/2)
	g.must(p.cmd.Process.Signal(terminate))
	g.wantExit("the first run", p.wait(), 143)
	return a
}

// heldAWhile has another program hold the state file in the middle of a run, for less long than docbatch waits.
func heldAWhile(g *rig) {
	g.documents(of(g, 150, 1000))
	a := g.serve("--latency", "50ms")
	p := g.begin(a.url)
	g.untilAsked(p, len(g.docs)/3)
	release := g.hold("BEGIN IMMEDIATE")
	g.pass(of(g, 3*time.Second, 15*time.Second))
	release()
	g.wantExit("the run", p.wait(), 0)
}

// heldForGood has another program hold the state file for as long as the run lasts.
func heldForGood(g *rig) {
	a := half(g, of(g, 100, 1000))
	release := g.hold("BEGIN EXCLUSIVE")
	began := time.Now()
	p := g.begin(a.url)
	l := p.wait()
	release()
	g.note("exit %d after %.0f s: %s", l.exit, time.Since(began).Seconds(), lastError(l))
	g.wantExit("while it is held", l, 1, "locked", "another program", "busy")
	g.wantExit("afterwards", g.run(a.url), 0)
}

// unusable wants a run to refuse a state file, and to leave it as it is.
func unusable(g *rig, base string, says ...string) {
	g.mayDamage = true
	before := g.snapshot()
	asked := g.asked()
	l := g.run(base)
	g.wantExit("the run", l, 10, says...)
	g.note("%s", lastError(l))
	g.want(g.snapshot() == before, "the state file was changed")
	g.want(g.asked() == asked, "%d requests were sent", g.asked()-asked)
}

// damagedState turns bytes in the middle of the file, where its tables are.
func damagedState(g *rig) {
	a := half(g, 300)
	b, err := os.ReadFile(g.state())
	g.must(err)
	whole := append([]byte(nil), b...)
	for page := 4; page*4096 < len(b); page += 3 {
		for i := range 200 {
			b[page*4096+i] ^= 0xa5
		}
	}
	g.must(os.WriteFile(g.state(), b, 0o644))
	g.mayDamage = true
	l := g.run(a.url)
	g.wantExit("the run", l, 10, "damaged")
	g.note("%s", lastError(l))
	g.mayDamage = false
	g.must(os.WriteFile(g.state(), whole, 0o644))
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.Remove(g.state() + suffix); err != nil && !os.IsNotExist(err) {
			g.must(err)
		}
	}
	g.wantExit("restored", g.run(a.url), 0)
}

func foreignState(g *rig) {
	g.documents(10)
	a := g.serve()
	g.sqlite3(g.state(), "CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO customers (name) VALUES ('somebody')")
	unusable(g, a.url, "not a docbatch state file")
	g.goElsewhere(a.url)
}

func noDatabase(g *rig) {
	g.documents(10)
	a := g.serve()
	g.write("docbatch.db", []byte("Dear diary, this is no database, and it is longer than the header of one would be: a hundred bytes.\n"))
	unusable(g, a.url, "not a docbatch state file")
	g.goElsewhere(a.url)
}

// goElsewhere works the job with another state file, as the message says.
func (g *rig) goElsewhere(base string) {
	g.stateFile, g.mayDamage = g.path("another.db"), false
	g.mayRepeat = g.asked() // it knows nothing of the first one's answers
	g.wantExit("with a file of its own", g.run(base), 0)
}

func newerState(g *rig) {
	a := half(g, 60)
	g.sqlite3(g.state(), "PRAGMA user_version = 999")
	unusable(g, a.url, "newer")
	g.goElsewhere(a.url)
}

// lostLog deletes the write-ahead log of a run that was killed, and with it answers that docbatch had said were stored.
func lostLog(g *rig) {
	g.documents(of(g, 100, 1000))
	a := g.serve("--latency", "20ms")
	p := g.begin(a.url)
	g.untilAsked(p, len(g.docs)/2)
	p.kill()
	log, err := os.ReadFile(g.state() + "-wal")
	g.must(err)
	g.must(os.Remove(g.state() + "-wal"))
	said := len(g.acknowledged)
	g.mayDamage = true
	l := g.run(a.url)
	g.note("%d answers were in it; exit %d: %s", said, l.exit, lastError(l))
	g.wantExit("without the log", l, 10, "-wal", "missing", "lost")
	g.must(os.WriteFile(g.state()+"-wal", log, 0o644))
	g.mayDamage = false
	g.mayRepeat = workers
	g.wantExit("with the log put back", g.run(a.url), 0)
}

// secondRun starts another run of the job while one goes on.
func secondRun(g *rig) {
	g.documents(of(g, 100, 1000))
	a := g.serve("--latency", "100ms")
	p := g.begin(a.url)
	g.untilAsked(p, 10)
	g.wantExit("the second run", g.run(a.url), 11, "pid")
	g.wantExit("the first run", p.wait(), 0)
}
