package main

import "runtime/debug"

// The heap in use is a few megabytes, so at Go's default the collector runs many times a second. Collecting less often saves a
// seventh of the CPU of a fast run; the limit keeps that from costing memory. With it 100,000 rows and
// both outputs take 70 to 95 MB in all, with up to 256 workers.
const (
	gcPercent     = 400
	limitAtRest   = 40 << 20
	limitOfWorker = 64 << 10 // a connection's buffers, three stacks, a document
	limitOfFiles  = 24 << 20
)

// tuneMemory sets how much memory a run with so many workers may take before the collector hurries.
func tuneMemory(workers int) {
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(limitAtRest + int64(workers)*limitOfWorker)
}

// tuneForFiles does the same for a run with documents that are files: a few of them are in memory whole, and again on their way to the
// process that reads them.
func tuneForFiles(workers int) {
	debug.SetMemoryLimit(limitAtRest + limitOfFiles + int64(workers)*limitOfWorker)
}

// restMemory gives back what the workers needed: it is not needed on top of what a workbook needs.
func restMemory() {
	debug.SetMemoryLimit(limitAtRest)
	debug.FreeOSMemory()
}
