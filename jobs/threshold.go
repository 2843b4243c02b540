package jobs

import (
	"fmt"

	"docbatch/pipeline"
)

// A Threshold is how many documents that a run works on may fail: Count of them or, where Share is not 0, that share of those
// that have an outcome. A truncated answer counts as a failure: the document has to be asked about, and paid for, again.
type Threshold struct {
	Count int
	Share float64 // from 0 to 1
}

// enough is how many outcomes it takes to judge by a share.
const enough = 20

// String is the threshold as a person writes it: "5%" or "20".
func (t Threshold) String() string {
	if t.Share > 0 {
		return fmt.Sprintf("%g%%", 100*t.Share)
	}
	return fmt.Sprint(t.Count)
}

func (t Threshold) exceeded(bad, all int) bool {
	if t.Share > 0 {
		return all >= enough && float64(bad) > t.Share*float64(all)
	}
	return bad > t.Count
}

// A score counts the outcomes of a run. What could not be listed is not in it: it costs nothing, and fails in every run.
type score struct{ all, bad int }

// count adds an outcome. The error says that there are more failures than t allows; nil allows all.
func (n *score) count(state pipeline.State, t *Threshold) error {
	if !state.Final() {
		return nil
	}
	n.all++
	if state == pipeline.Done {
		return nil
	}
	n.bad++
	if t == nil || !t.exceeded(n.bad, n.all) {
		return nil
	}
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindThreshold, "%d of %d documents of this run failed or were truncated: more than %v (--fail-threshold)",
		n.bad, n.all, t)
}
