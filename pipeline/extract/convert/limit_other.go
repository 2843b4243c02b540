//go:build !linux

package convert

// bound does nothing: only Linux bounds another process.
func bound(int) {}
