//go:build !linux

package convert

// boundMemory does nothing: only Linux bounds another process.
func boundMemory(int) {}
