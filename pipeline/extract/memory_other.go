//go:build !linux

package extract

// resident is how much memory this process takes, in bytes, as far as Go knows of it.
func resident() int64 { return heap() }
