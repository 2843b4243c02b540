package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"docbatch/jobs"
	"docbatch/jobs/sqlite"
)

// seenAs is a job of 10 documents whose newest run is so.
func seenAs(num int64, l life, finished int) *overview {
	o := &overview{state: "night.db", counts: jobs.Counts{Done: finished, Pending: 10 - finished}}
	if num > 0 {
		o.runs = 1
		o.newest = &runView{Run: sqlite.Run{Num: num, Host: "box", PID: 7}, life: l, standing: standing{Listed: true, Found: 10, Finished: finished}}
	}
	return o
}

// TestWatch looks once a second at what the job is then; the last stays so.
func TestWatch(t *testing.T) {
	broken := errors.New("disk I/O error")
	type sight struct {
		seen *overview
		err  error
	}
	still := func(s sight, n int) []sight { return slices.Repeat([]sight{s}, n) }
	for name, tt := range map[string]struct {
		sights []sight
		ends   time.Duration // when; 0: when the person has enough of it, after a minute
		err    error
	}{
		"a run that goes on":           {[]sight{{seen: seenAs(1, goesOn, 1)}, {seen: seenAs(1, goesOn, 2)}, {seen: seenAs(1, ended, 10)}}, 2 * time.Second, nil},
		"a run that is killed":         {[]sight{{seen: seenAs(1, goesOn, 1)}, {seen: seenAs(1, killed, 1)}}, time.Second, nil},
		"a run that is silent a while": {[]sight{{seen: seenAs(1, goesOn, 1)}, {seen: seenAs(1, silent, 1)}, {seen: seenAs(1, goesOn, 2)}, {seen: seenAs(1, ended, 10)}}, 3 * time.Second, nil},
		"before the first run":         {[]sight{{}, {}, {seen: seenAs(0, "", 0)}, {seen: seenAs(1, goesOn, 0)}, {seen: seenAs(1, ended, 10)}}, 4 * time.Second, nil},
		"between two runs":             {[]sight{{seen: seenAs(1, ended, 9)}, {seen: seenAs(1, ended, 9)}, {seen: seenAs(2, goesOn, 9)}, {seen: seenAs(2, ended, 10)}}, 3 * time.Second, nil},
		"a run too short to be seen":   {[]sight{{seen: seenAs(1, killed, 9)}, {seen: seenAs(2, ended, 10)}}, time.Second, nil},
		"the first run, not seen":      {[]sight{{}, {seen: seenAs(1, ended, 10)}}, time.Second, nil},
		"no run at all":                {[]sight{{seen: seenAs(1, ended, 10)}}, 0, nil},
		"unreadable for a while":       {append(still(sight{err: broken}, 9), sight{seen: seenAs(1, goesOn, 1)}, sight{seen: seenAs(1, ended, 10)}), 10 * time.Second, nil},
		"unreadable now and then": {slices.Concat(still(sight{err: broken}, 9), still(sight{seen: seenAs(1, goesOn, 1)}, 1), still(sight{err: broken}, 9),
			still(sight{seen: seenAs(1, ended, 10)}, 1)), 19 * time.Second, nil},
		"unreadable for good": {still(sight{err: broken}, 1), 10 * time.Second, broken},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, enough := context.WithTimeout(t.Context(), time.Minute)
				defer enough()
				began, last := time.Now(), false
				w := &watcher{
					look: func(context.Context) (*overview, error) {
						s := tt.sights[min(int(time.Since(began)/time.Second), len(tt.sights)-1)]
						return s.seen, s.err
					},
					tell: func(_ *overview, over bool) { last = over },
				}
				err := w.watch(ctx)
				want := tt.ends
				if want == 0 {
					want = time.Minute
				}
				if took := time.Since(began); took != want || !errors.Is(err, tt.err) || last != (tt.ends > 0 && tt.err == nil) {
					t.Errorf("ended after %v, error %v, the end was told: %v; want after %v, %v", took, err, last, want, tt.err)
				}
			})
		})
	}
}

// TestWatchLines is what is printed off a terminal, second by second.
func TestWatchLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		tell := lineTeller(&out, "night.db")
		for _, o := range []*overview{nil, nil, seenAs(0, "", 0), seenAs(1, goesOn, 0), seenAs(1, goesOn, 1), seenAs(1, goesOn, 2), seenAs(1, goesOn, 3),
			seenAs(1, goesOn, 4), seenAs(1, goesOn, 5), seenAs(1, goesOn, 5), seenAs(1, goesOn, 5), seenAs(1, goesOn, 5), seenAs(1, goesOn, 5),
			seenAs(1, goesOn, 5), seenAs(1, goesOn, 6)} {
			tell(o, false)
			time.Sleep(time.Second)
		}
		tell(seenAs(1, ended, 10), true)
		var got []string
		for line := range strings.Lines(out.String()) {
			line, _, _ = strings.Cut(strings.TrimSuffix(line, "\n"), ": since") // the time is another in every zone
			got = append(got, line)
		}
		want := []string{
			"there is no state file night.db yet; waiting for a run to make it (Ctrl-C ends the watching)",
			"Run 1 goes on",
			"0 of 10 documents finished",
			"5 of 10 documents finished",
			"6 of 10 documents finished",
			"night.db: 10 of 10 documents finished (100 %)",
			"        10  answered",
		}
		if len(got) < len(want) || !slices.Equal(got[:len(want)], want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestDrawing(t *testing.T) {
	var out strings.Builder
	columns, lines := 20, 4
	d := &drawing{out: &out, size: func() (int, int) { return columns, lines }}
	for _, tt := range []struct {
		name, text string
		last       bool
		change     func()
		want       string
	}{
		{"first", "a\nb\n", false, nil, hideCursor + "a" + clearLine + "\nb" + clearLine + "\n" + clearBelow},
		{"again", "c\nd\n", false, nil, "\x1b[2A\rc" + clearLine + "\nd" + clearLine + "\n" + clearBelow},
		{"too long a line", strings.Repeat("x", 30) + "\n", false, nil, "\x1b[2A\r" + strings.Repeat("x", 19) + clearLine + "\n" + clearBelow},
		{"too many lines", "1\n2\n3\n4\n5\n", false, nil, "\x1b[1A\r1" + clearLine + "\n2" + clearLine + "\n  and 3 lines more:" + clearLine + "\n" + clearBelow},
		{"resized", "a\n", false, func() { columns = 10 }, clearAll + "a" + clearLine + "\n" + clearBelow},
		{"the last one is whole", "123456789012345\n", true, nil, "\x1b[1A\r123456789012345" + clearLine + "\n" + clearBelow},
	} {
		if tt.change != nil {
			tt.change()
		}
		out.Reset()
		d.draw(tt.text, tt.last)
		if got := out.String(); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
	out.Reset()
	if d.end(); out.String() != "\r"+clearLine+showCursor {
		t.Errorf("at the end: got %q, want the cursor", out.String())
	}
}
