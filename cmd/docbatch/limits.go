package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"docbatch/jobs"
	"docbatch/pipeline/agent"
)

// limits bound what a run sends, spends and waits for.
type limits struct {
	workers  int
	pace     agent.Limits
	attempts int
	repeats  int

	maxRequests int
	maxTokens   int
	maxCost     float64
	price       agent.Price // zero where it is not known

	timeout       time.Duration
	headerTimeout time.Duration // 0: only timeout bounds it
	idleTimeout   time.Duration
	grace         time.Duration

	stopAfter     time.Duration
	stopAt        time.Time
	failThreshold *jobs.Threshold
}

// limitFlags are the flags of limits, as they were given; those of a single call are among agentFlags.
type limitFlags struct {
	workers       int
	rpm           float64
	tpm           float64
	inFlight      int
	context       int
	reserve       bool
	maxPause      time.Duration
	giveUpAfter   time.Duration
	attempts      int
	repeats       int
	grace         time.Duration
	maxRequests   int
	maxTokens     int
	maxCost       float64
	priceInput    float64
	priceOutput   float64
	stopAfter     time.Duration
	stopAt        string
	failThreshold string
}

func (f *limitFlags) add(fs *pflag.FlagSet) {
	fs.IntVarP(&f.workers, "workers", "w", defaultWorkers, "documents worked on at once")
	fs.Float64Var(&f.rpm, "rpm", 0, "the agent's limit in requests a minute (default: it is found)")
	fs.Float64Var(&f.tpm, "tpm", 0, "the agent's limit in tokens a minute (default: none known)")
	fs.IntVar(&f.inFlight, "in-flight", 0, "the agent's limit of calls at once (default: as many as workers)")
	fs.IntVar(&f.context, "context-tokens", 0, "how many tokens a prompt and its answer may have together (default: not known)")
	fs.BoolVar(&f.reserve, "reserve-answer-tokens", false, "count --max-answer-tokens in full against --tpm, as OpenAI does")
	fs.DurationVar(&f.maxPause, "max-pause", agent.DefaultMaxPause, "the longest pause that the agent can ask for")
	fs.DurationVar(&f.giveUpAfter, "give-up-after", 0,
		fmt.Sprintf("how long the agent may be down (default: %v, and %v before the first answer)", inWordsOf(agent.DefaultGiveUp), inWordsOf(agent.DefaultGiveUpEarly)))
	fs.IntVar(&f.attempts, "attempts", agent.DefaultAttempts, "how often a document is tried when the agent fails")
	fs.IntVar(&f.repeats, "repeats", agent.DefaultRepeats, "how often a request without an answer in time is sent again; it may be paid twice")
	fs.DurationVar(&f.grace, "grace", time.Minute, "how long calls in flight may take after a signal, or a failure that stops the run")

	fs.IntVar(&f.maxRequests, "max-requests", 0, "stop after so many requests of this run (default: no bound)")
	fs.IntVar(&f.maxTokens, "max-tokens", 0, "stop before this run takes more tokens, of prompts and answers together (default: no bound)")
	fs.Float64Var(&f.maxCost, "max-cost", 0, "stop before this run costs more, in the currency of the prices (default: no bound)")
	fs.Float64Var(&f.priceInput, "price-input", 0, "what a million tokens of prompts cost")
	fs.Float64Var(&f.priceOutput, "price-output", 0, "what a million tokens of answers cost")
	fs.DurationVar(&f.stopAfter, "stop-after", 0, "stop after so long, such as 2h (default: when all is done)")
	fs.StringVar(&f.stopAt, "stop-at", "", "stop at this time: 06:00 (the next one, local) or 2026-01-31T06:00:00Z")
	fs.StringVar(&f.failThreshold, "fail-threshold", "", "stop when more documents fail: 5%, or a number such as 20 (default: never)")
}

// inWordsOf is a duration without parts that are zero: 15m, not 15m0s.
func inWordsOf(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
}

// limits resolves all that bounds the run.
func (s *settings) limits(f *jobFlags, jf *jobFile, now time.Time) (limits, error) {
	l, in, out := &jf.Limits, jf.Agent.Price.Input, jf.Agent.Price.Output
	in, out = pointer(s, "price-input", f.priceInput, in), pointer(s, "price-output", f.priceOutput, out)
	set := limits{
		workers: pick(s, "workers", f.workers, l.Workers),
		pace: agent.Limits{
			Requests: pick(s, "rpm", f.rpm, l.RPM),
			Tokens:   pick(s, "tpm", f.tpm, l.TPM),
			InFlight: pick(s, "in-flight", f.inFlight, l.InFlight),
			Context:  pick(s, "context-tokens", f.context, jf.Agent.ContextTokens),
			Reserve:  pick(s, "reserve-answer-tokens", f.reserve, l.Reserve),
			MaxPause: pick(s, "max-pause", f.maxPause, time.Duration(l.MaxPause)),
			GiveUp:   pick(s, "give-up-after", f.giveUpAfter, time.Duration(l.GiveUpAfter)),
		},
		attempts:      pick(s, "attempts", f.attempts, l.Attempts),
		repeats:       f.repeats,
		maxRequests:   pick(s, "max-requests", f.maxRequests, l.MaxRequests),
		maxTokens:     pick(s, "max-tokens", f.maxTokens, l.MaxTokens),
		maxCost:       pick(s, "max-cost", f.maxCost, l.MaxCost),
		timeout:       pick(s, "timeout", f.timeout, time.Duration(l.Timeout)),
		headerTimeout: pick(s, "header-timeout", f.headerTimeout, time.Duration(l.HeaderTimeout)),
		idleTimeout:   pick(s, "idle-timeout", f.idleTimeout, time.Duration(l.IdleTimeout)),
		grace:         pick(s, "grace", f.grace, time.Duration(l.Grace)),
		stopAfter:     pick(s, "stop-after", f.stopAfter, time.Duration(l.StopAfter)),
	}
	if r := pointer(s, "repeats", f.repeats, l.Repeats); r != nil {
		set.repeats = *r
	}
	switch {
	case in != nil && out != nil:
		set.price = agent.Price{Input: *in, Output: *out}
	case in != nil || out != nil:
		return set, errors.New("only one of --price-input and --price-output is set (agent.price in the job file): a cost needs both")
	case set.maxCost != 0:
		return set, errors.New("--max-cost needs --price-input and --price-output (agent.price in the job file): what is not known can't be counted")
	}
	if err := s.notUnbounded(set); err != nil {
		return set, err
	}
	var err error
	if set.stopAt, err = parseTime(pick(s, "stop-at", f.stopAt, string(l.StopAt)), now); err != nil {
		return set, err
	}
	if set.failThreshold, err = parseThreshold(pick(s, "fail-threshold", f.failThreshold, string(l.FailThreshold))); err != nil {
		return set, err
	}
	return set, set.check()
}

// notUnbounded refuses a bound that was given and bounds nothing: who computes what is left must not get a run without end for 0.
func (s *settings) notUnbounded(set limits) error {
	for name, zero := range map[string]bool{"max-requests": set.maxRequests == 0, "max-tokens": set.maxTokens == 0, "max-cost": set.maxCost == 0, "stop-after": set.stopAfter == 0} {
		if s.given(name) && zero {
			return fmt.Errorf("--%s is 0; it must be more, or left out for no bound", name)
		}
	}
	for _, name := range []string{"stop-at", "fail-threshold"} {
		if s.given(name) && s.flags.Lookup(name).Value.String() == "" {
			return fmt.Errorf("--%s is empty; give it a value, or leave it out", name)
		}
	}
	return nil
}

// parseTime reads when to stop: a time of day, which is the next one in the zone of now, or RFC 3339. "" is never.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse("15:04", text); err == nil {
		at := func(days int) time.Time {
			return time.Date(now.Year(), now.Month(), now.Day()+days, day.Hour(), day.Minute(), 0, 0, now.Location())
		}
		if at(0).After(now) {
			return at(0), nil
		}
		return at(1), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("--stop-at is %q; it must be a time of day such as 06:00, or one like 2026-01-31T06:00:00Z", text)
	}
	if !t.After(now) {
		return time.Time{}, fmt.Errorf("--stop-at is %s: that is past", text)
	}
	return t, nil
}

// parseThreshold reads how many documents may fail: "5%" or "20". "" is all.
func parseThreshold(text string) (*jobs.Threshold, error) {
	if text == "" {
		return nil, nil
	}
	wrong := fmt.Errorf("--fail-threshold is %q; it must be a share from 0%% to 100%%, or a number of documents", text)
	if share, ok := strings.CutSuffix(text, "%"); ok {
		v, err := strconv.ParseFloat(strings.TrimSpace(share), 64)
		if err != nil || !(v >= 0 && v <= 100) {
			return nil, wrong
		}
		return &jobs.Threshold{Share: v / 100}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return nil, wrong
	}
	return &jobs.Threshold{Count: n}, nil
}

// check finds settings that cannot be meant.
func (l *limits) check() error {
	for _, v := range []struct {
		name  string
		value float64
		zero  string
	}{
		{"rpm", l.pace.Requests, "no limit known"}, {"tpm", l.pace.Tokens, "no limit known"},
		{"in-flight", float64(l.pace.InFlight), "as many as workers"}, {"context-tokens", float64(l.pace.Context), "not known"},
		{"give-up-after", l.pace.GiveUp.Seconds(), "the default"}, {"repeats", float64(l.repeats), "never"},
		{"header-timeout", l.headerTimeout.Seconds(), "only --timeout bounds it"},
		{"max-requests", float64(l.maxRequests), "no bound"}, {"max-tokens", float64(l.maxTokens), "no bound"}, {"max-cost", l.maxCost, "no bound"},
		{"price-input", l.price.Input, "free"}, {"price-output", l.price.Output, "free"}, {"stop-after", l.stopAfter.Seconds(), "no deadline"},
	} {
		if math.IsNaN(v.value) || v.value < 0 || math.IsInf(v.value, 0) {
			return fmt.Errorf("--%s is %v; it must be 0 (%s) or more", v.name, v.value, v.zero)
		}
	}
	switch {
	case l.workers < 1 || l.workers > 4096:
		return fmt.Errorf("--workers is %d; it must be from 1 to 4096", l.workers)
	case l.attempts < 1:
		return fmt.Errorf("--attempts is %d; it must be 1 or more", l.attempts)
	case min(l.timeout, l.idleTimeout, l.grace) <= 0:
		return fmt.Errorf("--timeout is %v, --idle-timeout %v, --grace %v; each must be more than 0: docbatch never waits for ever", l.timeout, l.idleTimeout, l.grace)
	case l.pace.MaxPause <= 0:
		return fmt.Errorf("--max-pause is %v; it must be more than 0", l.pace.MaxPause)
	case l.maxCost > 0 && l.price == (agent.Price{}):
		return errors.New("--max-cost needs prices: both are 0, so no run would ever cost anything")
	}
	return nil
}

// deadline is when a run that started at that time has to stop; zero where it has not to.
func (l *limits) deadline(started time.Time) time.Time {
	if l.stopAfter <= 0 {
		return l.stopAt
	}
	after := started.Add(l.stopAfter)
	if !l.stopAt.IsZero() && l.stopAt.Before(after) {
		return l.stopAt
	}
	return after
}

// budget bounds what next may spend.
func (l *limits) budget(next agent.Agent, meter *agent.Meter) *agent.Budget {
	return &agent.Budget{Next: next, Meter: meter, MaxRequests: l.maxRequests, MaxTokens: l.maxTokens, MaxCost: l.maxCost, Price: l.price}
}
