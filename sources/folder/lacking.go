package folder

import (
	"errors"
	"syscall"

	"docbatch/pipeline"
	"docbatch/sources/pathname"
)

// lacking reports whether this machine lacks what opening any file takes: then nothing is wrong with the one that was to be
// opened, and no other will go better.
func lacking(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

func machineError(path string, err error) error {
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindMachine, "open %s: %w", pathname.Display(path), cause(err))
}
