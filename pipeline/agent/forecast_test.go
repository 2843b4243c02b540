package agent_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
)

// mailbag makes requests of documents of many sizes, and what each will cost.
type mailbag struct {
	*rand.Rand
	bytesPerToken float64
}

func (l mailbag) next() (*agent.Request, pipeline.Tokens) {
	size := 400 + l.IntN(12000)
	cost := pipeline.Tokens{
		Prompt:     200 + int(float64(size)/l.bytesPerToken*(0.9+0.2*l.Float64())),
		Completion: 50 + size/100 + l.IntN(200),
	}
	return &agent.Request{Agent: "a", Messages: []agent.Message{{Content: text(size)}}}, cost
}

// TestForecast is how well the cost of 1,000 documents is known after a sample of 20.
func TestForecast(t *testing.T) {
	const trials = 60
	for name, bytesPerToken := range map[string]float64{"English": 4.6, "JSON": 2.4} {
		t.Run(name, func(t *testing.T) {
			near, within := 0, 0
			for seed := range trials {
				l := mailbag{rand.New(rand.NewPCG(uint64(seed), 1)), bytesPerToken}
				m := agent.NewMeter()
				for range 20 {
					req, cost := l.next()
					m.Learn(req, cost, 2*time.Second)
				}
				var f agent.Forecast
				truly := 0
				for range 1000 {
					req, cost := l.next()
					m.Forecast(&f, req)
					truly += cost.Total()
				}
				if off := float64(f.Tokens().Total())/float64(truly) - 1; off > -0.1 && off < 0.1 {
					near++
				}
				if low, high := f.Range(); low <= truly && truly <= high && high < 2*low {
					within++
				}
				if f.Took != 2*time.Second || f.Answers != 20 || f.Requests != 1000 {
					t.Fatalf("forecast %+v, want one of 1000 requests that take 2s each, from 20 answers", f)
				}
			}
			if near < trials-1 || within < trials*8/10 {
				t.Errorf("of %d forecasts %d are within 10 %%, %d have the truth in their range", trials, near, within)
			}
		})
	}
}

func TestForecastOfNothingKnown(t *testing.T) {
	m := agent.NewMeter()
	learned := &agent.Request{Agent: "a", Messages: []agent.Message{{Content: text(4000)}}}
	m.Learn(learned, pipeline.Tokens{Prompt: 4000, Completion: 1000}, time.Second)
	var f agent.Forecast
	m.Forecast(&f, &agent.Request{Agent: "b", Messages: []agent.Message{{Content: text(4000)}}, Params: agent.Params{MaxTokens: 100}})
	if got, want := f.Tokens(), (pipeline.Tokens{Prompt: 1004, Completion: 100}); got != want || f.Answers != 0 || f.Took != 0 {
		t.Errorf("another agent: %+v from %d answers, want %+v from none", got, f.Answers, want)
	}
	if low, high := f.Range(); low != 552 || high != 2208 {
		t.Errorf("range %d to %d, want half to double", low, high)
	}
}

// TestForecastAfterADay is what a nightly run begins with.
func TestForecastAfterADay(t *testing.T) {
	req := &agent.Request{Agent: "a", Messages: []agent.Message{{Content: text(4000)}}}
	m := agent.NewMeter()
	p := agent.NewPace(nil, m, agent.Limits{})
	for range 10 {
		m.Learn(req, pipeline.Tokens{Prompt: 2000, Completion: 100}, time.Second)
	}
	state := p.Snapshot() // of a time long ago: nothing was sent
	tomorrow := agent.NewMeter()
	if err := agent.NewPace(nil, tomorrow, agent.Limits{}).Restore(state); err != nil {
		t.Fatal(err)
	}
	var f agent.Forecast
	tomorrow.Forecast(&f, req)
	if got, want := f.Tokens(), (pipeline.Tokens{Prompt: 2000, Completion: 100}); got != want || f.Answers != 10 {
		t.Errorf("%+v from %d answers, want %+v from 10", got, f.Answers, want)
	}
}

// TestForecastOfAnotherSize is a document that is shorter than all that were answered: what its answer costs is not known.
func TestForecastOfAnotherSize(t *testing.T) {
	l := mailbag{rand.New(rand.NewPCG(1, 2)), 4}
	m := agent.NewMeter()
	for range 100 {
		req, cost := l.next()
		m.Learn(req, cost, time.Second)
	}
	var f agent.Forecast
	m.Forecast(&f, &agent.Request{Agent: "a", Messages: []agent.Message{{Content: text(10)}}})
	low, high := f.Range()
	if truly := 200 + 3 + 20; truly < low || truly > high { // a short answer
		t.Errorf("range %d to %d, want one that holds %d", low, high, truly)
	}
}
