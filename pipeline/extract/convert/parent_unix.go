//go:build unix && !linux

package convert

import "syscall"

// endWithParent does nothing here: when this process is killed, the program goes on to its end.
func endWithParent(*syscall.SysProcAttr) {}
