//go:build race && linux

package convert

import "golang.org/x/sys/unix"

func init() { maxMemory = unix.RLIM_INFINITY }
