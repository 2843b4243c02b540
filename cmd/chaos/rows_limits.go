package main

import (
	"fmt"
	"strconv"
	"time"
)

// slack is what starting and ending a process may cost beside the least time possible, in the short form; in the long one it is
// nothing beside the figures.
func slack(g *rig) time.Duration { return of(g, time.Second, 0) }

// leastTime is how long n requests take at a limit, and wantTime how much longer a run may have taken.
func leastTime(n, perMinute int) time.Duration {
	return time.Duration(float64(n) / float64(perMinute) * float64(time.Minute))
}

func (g *rig) wantTime(took, least time.Duration, most float64) {
	g.note("%.3f x the least possible %.1f s", took.Seconds()/least.Seconds(), least.Seconds())
	g.want(took <= time.Duration(float64(least)*most)+slack(g), "it took %.1f s, want at most %.2f x %.1f s", took.Seconds(), most, least.Seconds())
}

// wantFew429 notes more 429s than a share of the requests.
func (g *rig) wantFew429(share float64) {
	entries := g.entries()
	got := with(entries, 429)
	g.want(float64(got) <= share*float64(len(entries)), "%d of %d requests got 429, want at most %.1f %%", got, len(entries), 100*share)
}

// limited serves an agent with a limit of requests; the short form's counts seconds, because a minute is longer than its run.
func limited(g *rig, args ...string) (base string, perMinute int) {
	perMinute = of(g, 3000, 300)
	a := g.serve(append([]string{"--rpm", strconv.Itoa(perMinute), "--window", of(g, "bucket", "sliding"), "--latency", "100ms"}, args...)...)
	return a.url, perMinute
}

func knownLimit(g *rig) {
	g.documents(of(g, 400, 1000))
	base, perMinute := limited(g)
	l := g.run(base, "--rpm", strconv.Itoa(perMinute))
	g.wantExit("the run", l, 0)
	g.wantTime(l.elapsed, leastTime(len(g.docs), perMinute), 1.02)
	g.wantFew429(0)
}

// limitAcrossRuns stops a run in its middle and starts it again at once: the two together keep to the limit.
func limitAcrossRuns(g *rig) {
	g.documents(of(g, 200, 600))
	base, perMinute := limited(g)
	p := g.begin(base, "--rpm", strconv.Itoa(perMinute))
	g.untilAsked(p, len(g.docs)/2)
	g.must(p.cmd.Process.Signal(terminate))
	l := p.wait()
	g.wantExit("the stopped run", l, 143)
	g.wantExit("the second run", g.run(base, "--rpm", strconv.Itoa(perMinute)), 0)
	g.wantFew429(0)
	most := mostWithin(g.entries(), time.Second)
	g.note("at most %d requests in any second, %d a second allowed", most, perMinute/60)
	g.want(float64(most) <= 1.3*float64(perMinute)/60+1, "%d requests in one second of %d allowed: the second run began with a burst", most, perMinute/60)
}

func unknownLimit(g *rig, headers string) {
	g.documents(of(g, 400, 1000))
	base, perMinute := limited(g, "--headers", headers)
	l := g.run(base)
	g.wantExit("the run", l, 0)
	// Finding the limit takes the same time however long the run is, so it is a larger part of the short form's.
	g.wantTime(l.elapsed, leastTime(len(g.docs), perMinute), of(g, 2.0, 1.12))
	g.wantFew429(of(g, 0.05, 0.01))
}

// tokenLimit has documents from 100 to 6,000 tokens, short ones more often, in no order. What a minute holds can't be seen in less.
func tokenLimit(g *rig) {
	const n, perMinute = 1000, 60_000
	for i := range n {
		place := (i * 37) % n
		g.document(i, sizeAt(float64(place)/float64(n-1)))
	}
	a := g.serve("--tpm", strconv.Itoa(perMinute), "--latency", "100ms")
	l := g.run(a.url, "--tpm", strconv.Itoa(perMinute))
	g.wantExit("the run", l, 0)
	records, err := g.records()
	g.must(err)
	tokens := 0
	for _, rec := range records {
		tokens += rec.Tokens.Total()
	}
	used := float64(tokens) / float64(perMinute) / l.elapsed.Minutes()
	g.note("%d tokens: %.1f %% of the limit used", tokens, 100*used)
	g.want(used >= 0.95, "%.1f %% of the limit used, want 95 %%", 100*used)
	g.wantFew429(0.01)
}

// largerThanLimits has documents that no waiting can help: they are refused before they are sent.
func largerThanLimits(g *rig) {
	for i := range of(g, 30, 1000) {
		size := 0
		if i%10 == 4 && i < 50 {
			size = 40_000 // about 10,000 tokens
		}
		g.document(i, size)
		if size > 0 {
			g.mustFail(i)
		}
	}
	a := g.serve("--tpm", "1000000", "--context", "2000")
	l := g.run(a.url, "--tpm", "1000000", "--context-tokens", "2000")
	g.wantExit("the run", l, 3, "too long")
	want := len(g.docs) - len(g.mayFail)
	g.want(g.asked() == want, "%d requests, want %d: what is too long must not be sent", g.asked(), want)

	g.fresh("limit of tokens a minute")
	g.documents(20)
	g.document(20, 1_000_000)
	g.mustFail(20)
	a = g.serve("--tpm", "100000")
	g.wantExit("the run", g.run(a.url, "--tpm", "100000"), 3, "over the limit on tokens")
	g.want(g.asked() == 20, "%d requests, want 20: what is over the limit must not be sent", g.asked())
}

// sizeAt is a size in bytes between those of 100 and of 6,000 tokens, four bytes each, evenly on a logarithmic scale.
func sizeAt(place float64) int {
	size := 400.0
	for range 100 {
		size *= 1 + place*0.0418 // 60 at place 1: 1.0418 to the power of 100
	}
	return int(size)
}

// refusesForAWhile has all requests answered with 429 for a time. Calls take a second, so as many are sent a second as there are
// workers: for as long after the pause as it lasted, no second may see more than a quarter of that.
func refusesForAWhile(g *rig) {
	g.documents(of(g, 100, 1000))
	from, to := of(g, 1, 5), of(g, 3, 15)
	a := g.serve("--latency", "1s", "--fail", fmt.Sprintf("429=1@%ds-%ds", from, to))
	l := g.run(a.url)
	g.wantExit("the run", l, 0)
	entries := g.entries()
	var last time.Time
	for _, e := range entries {
		if e.Status == 429 {
			last = e.Time
		}
	}
	g.want(!last.IsZero(), "no request got a 429: the fault did not happen")
	rest := after(entries, last)
	if len(rest) == 0 {
		g.fault("nothing was asked after the pause")
		return
	}
	lasted := time.Duration(to-from) * time.Second
	watched := rest[:len(rest)-len(after(rest, rest[0].Time.Add(lasted)))]
	most := mostWithin(watched, time.Second)
	g.note("at most %d calls in a second, within %v of the first good answer", most, lasted)
	g.want(most <= workers/4, "%d calls in one second after the pause, want at most %d", most, workers/4)
}

// inFlightLimit has an agent that refuses more than a few calls at once, and does not say how many.
func inFlightLimit(g *rig) {
	g.documents(of(g, 60, 1000))
	const most, latency = 4, 100 * time.Millisecond
	a := g.serve("--max-in-flight", strconv.Itoa(most), "--latency", latency.String())
	l := g.run(a.url)
	g.wantExit("the run", l, 0)
	least := time.Duration(len(g.docs)) * latency / most
	g.note("%.1f x the least possible %.1f s", l.elapsed.Seconds()/least.Seconds(), least.Seconds())
	g.wantFew429(of(g, 0.15, 0.05))
}
