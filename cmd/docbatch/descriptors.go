package main

import (
	"fmt"
)

// descriptorsAtRest is how many file descriptors a run needs apart from its workers': the state, inputs, outputs, the runtime, and
// documents that are opened while every connection is idle.
const descriptorsAtRest = 40

// checkDescriptors finds, before anything is sent, that the system lets this process open too few files for so many workers.
func checkDescriptors(j *job) error {
	need := uint64(j.workers) + descriptorsAtRest
	if j.demo {
		need += uint64(j.workers) // the built-in agent has the other end of each connection
	}
	have, known := descriptorLimit()
	if !known || have >= need {
		return nil
	}
	next := "Raise the limit (ulimit -n), or use fewer workers. Nothing was sent."
	if most := int(have) - int(need) + j.workers; most > 0 && !j.demo {
		next = fmt.Sprintf("Raise the limit (ulimit -n %d), or use --workers %d. Nothing was sent.", need, most)
	}
	return withExit(exitUsage, fmt.Errorf("%d workers need about %d open files, and the system allows this process %d", j.workers, need, have), next)
}
