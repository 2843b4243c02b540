package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"docbatch/pipeline"
)

// terminate asks a process to stop gently.
const terminate = syscall.SIGTERM

// killEvery starts docbatch and kills it after a time that next gives, until it ends by itself. It returns how often it was killed.
func (g *rig) killEvery(base string, most int, next func() time.Duration, args ...string) (kills int) {
	for {
		p := g.begin(base, args...)
		if kills == most {
			g.wantExit("the last run", p.wait(), 0)
			return kills
		}
		select {
		case <-p.ended:
		case <-time.After(next()):
		}
		l := p.kill()
		if l.exit >= 0 {
			g.wantExit("the last run", l, 0)
			return kills
		}
		kills++
	}
}

func everythingAtOnce(g *rig) {
	g.documents(of(g, 60, 1000))
	a := g.serve("--latency", "100ms", "--fail", "500=0.1,429=0.1,reset=0.05,malformed=0.05")
	every := of(g, 2*time.Second, 5*time.Second)
	kills := g.killEvery(a.url, 100, func() time.Duration { return every }, "--attempts", "10")
	g.mayRepeat = kills * workers
	g.note("killed %d times", kills)
}

func killedAgainAndAgain(g *rig) {
	g.documents(of(g, 200, 1000))
	a := g.serve("--latency", "20ms")
	kills := g.killEvery(a.url, of(g, 10, 100), func() time.Duration { return time.Duration(rand.IntN(200)) * time.Millisecond })
	g.mayRepeat = kills * workers
	g.note("killed %d times", kills)
	got := g.asked()
	g.want(got <= len(g.docs)+kills*workers, "%d requests for %d documents and %d kills", got, len(g.docs), kills)
}

// stopsAndGoesOn runs docbatch against an agent that refuses everything from some answer on, and then, mended, to its end.
func stopsAndGoesOn(g *rig, answers, exit int, says string, fault ...string) {
	a := g.serve(append([]string{"--latency", "50ms"}, fault...)...)
	g.wantExit("the run", g.run(a.url), exit, says)
	further := g.asked() - answers
	g.note("%d further requests after %d answers", further, answers)
	g.want(further <= workers, "%d further requests, want at most %d", further, workers)
	g.wantNothingFailed()
	a.restart()
	g.wantExit("once it is mended", g.run(a.url), 0)
}

// wantNothingFailed notes documents that were marked failed where none may be.
func (g *rig) wantNothingFailed() {
	records, err := g.records()
	g.must(err)
	failed := 0
	for _, rec := range records {
		if rec.State == pipeline.Failed {
			failed++
		}
	}
	g.want(failed == 0, "%d documents are marked failed, want none", failed)
}

func outOfQuota(g *rig) {
	g.documents(of(g, 150, 1000))
	stopsAndGoesOn(g, len(g.docs)/2, 5, "quota", "--quota", fmt.Sprint(len(g.docs)/2))
}

func keyRefused(g *rig) {
	g.documents(of(g, 150, 1000))
	stopsAndGoesOn(g, len(g.docs)/2, 4, "key", "--revoke-after", fmt.Sprint(len(g.docs)/2))
}

func unknownAgent(g *rig) {
	g.documents(of(g, 150, 1000))
	stopsAndGoesOn(g, 0, 2, "agent", "--agents", "another")
}

// wrongKey has an agent that accepts another key, and repeats the one that it got in its error. Everything that can print or write
// it is tried.
func wrongKey(g *rig) {
	g.documents(of(g, 50, 1000))
	g.agentKey = "sk-another"
	a := g.serve("--latency", "50ms")
	outputs := []string{"-o", g.path("out.xlsx"), "-o", g.path("out.jsonl")}
	g.wantExit("the run", g.run(a.url, outputs...), 4, keyVariable)
	g.want(g.asked() <= workers, "%d requests, want at most %d", g.asked(), workers)
	g.wantNothingFailed()
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"show", g.docs[0].id}, {"export"}, {"check"}} {
		g.wantExit(args[0], g.command(append(args, "--state", g.state())...), 0)
	}
	g.wantExit("ask", g.command("ask", "--agent", agentSlug, "--base-url", a.url, "who are you?"), 4)
	g.agentKey = ""
	a.restart()
	g.wantExit("with the right key", g.run(a.url, outputs...), 0)
}

func refusedDocuments(g *rig) {
	g.documents(of(g, 100, 1000))
	var faults []string
	for i := range 15 {
		number, fault := (i*len(g.docs))/15+3, "too_long"
		if i >= 10 {
			fault = "413page"
		}
		g.mustFail(number)
		faults = append(faults, g.docs[number].marker+"="+fault)
	}
	a := g.serve("--latency", "20ms", "--fail-for", strings.Join(faults, ","))
	g.wantExit("the run", g.run(a.url), 3)
	got := g.asked()
	g.want(got == len(g.docs), "%d requests for %d documents, want one each", got, len(g.docs))
}

// marked has every answer end in a way that is no clean success.
func marked(g *rig, fault string) {
	g.documents(of(g, 60, 1000))
	for i := range g.docs {
		g.mustFail(i)
	}
	a := g.serve("--latency", "20ms", "--fail", fault+"=1")
	g.wantExit("the run", g.run(a.url), 3)
	got := g.asked()
	g.want(got == len(g.docs), "%d requests for %d documents, want one each", got, len(g.docs))
}

// noAnswer has the agent answer with status 200 and no answer in it for a time. What is stored must be what came after.
func noAnswer(g *rig, fault string, args ...string) {
	g.documents(of(g, 30, 1000))
	a := g.serve("--latency", "50ms", "--fail", fmt.Sprintf("%s=1@0s-%v", fault, of(g, time.Second, 10*time.Second)))
	l := g.run(a.url, args...)
	if l.exit == 6 { // it took the agent for down, and says that the same command goes on
		g.note("the first run stopped with exit 6")
		l = g.run(a.url, args...)
	}
	g.wantExit("the last run", l, 0)
	hit := 0
	for _, e := range g.entries() {
		if e.Fault != "" {
			hit++
		}
	}
	g.note("%d requests met the fault", hit)
	g.want(hit > 0, "no request met the fault")
}

// oneHangs compares a run in which one call never ends with one in which all do.
func oneHangs(g *rig) {
	deadline := of(g, 3*time.Second, 5*time.Second)
	const latency = 100 * time.Millisecond
	n := of(g, 450, 1000)
	g.documents(n)
	args := []string{"--timeout", deadline.String()}
	hung := g.docs[5]

	g.serve("--latency", latency.String())
	g.wantExit("without the fault", g.run(g.agent.url, args...), 0)
	free := g.speed("") * (workers - 1) / workers // of all workers but the one that will hang

	g.fresh("with a call that hangs")
	g.documents(n)
	a := g.serve("--latency", latency.String(), "--fail-for", hung.marker+"=hang")
	g.mustFail(5)
	l := g.run(a.url, args...)
	g.wantExit("with it", l, 3)
	beside := g.speed(hung.id)
	g.note("the other workers: %.0f calls a second, %.0f without the fault (%.0f %%)", beside, free, 100*beside/free)
	g.want(beside >= 0.9*free, "the other workers went at %.0f %% of their speed, want 90 %%", 100*beside/free)
	requests := 0
	for _, s := range g.sent(hung.id) {
		requests++
		g.note("the call that hangs ended after %.1f s", s.Duration.Seconds())
		g.want(s.Duration <= deadline+2*time.Second, "a call ended after %v, want its deadline of %v and at most 2 s", s.Duration, deadline)
	}
	g.want(requests >= 1 && requests <= 2, "%d requests for what hangs, want one and at most one repetition", requests)
}

// downForGood has an agent that does not come back in time: the run ends, and goes on later.
func downForGood(g *rig) {
	g.documents(of(g, 50, 1000))
	a := g.serve("--latency", "50ms")
	a.kill()
	l := g.run(a.url, "--give-up-after", "3s")
	g.wantExit("the run", l, 6, "the same command goes on")
	g.note("gave up after %.1f s", l.elapsed.Seconds())
	g.want(l.elapsed < 30*time.Second, "it gave up after %.1f s, want 3 s and little more", l.elapsed.Seconds())
	g.wantNothingFailed()
	a.start()
	g.wantExit("once the agent is up", g.run(a.url), 0)
}

// budget stops a run that has sent enough, and the same command without the budget goes on.
func budget(g *rig) {
	g.documents(of(g, 100, 1000))
	a := g.serve("--latency", "20ms")
	most := len(g.docs) / 2
	g.wantExit("with a budget", g.run(a.url, "--max-requests", fmt.Sprint(most)), 5)
	g.want(g.asked() == most, "%d requests with a budget of %d", g.asked(), most)
	g.wantNothingFailed()
	g.wantExit("without it", g.run(a.url), 0)
}

// terminated stops a run gently: what is in flight is kept.
func terminated(g *rig) {
	g.documents(of(g, 100, 1000))
	a := g.serve("--latency", "200ms")
	p := g.begin(a.url)
	g.untilAsked(p, len(g.docs)/2)
	g.must(p.cmd.Process.Signal(terminate))
	g.wantExit("the stopped run", p.wait(), 143, "the same command goes on")
	asked := g.asked()
	g.want(len(g.acknowledged) == asked, "%d answers for %d requests", len(g.acknowledged), asked)
	g.wantExit("the second run", g.run(a.url), 0)
}
