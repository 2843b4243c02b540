//go:build !unix

package extract

import "syscall"

// attributes are none: a child ends when its input does.
func attributes() *syscall.SysProcAttr { return nil }
