//go:build unix && !linux

package extract

import "syscall"

// attributes keep the terminal's signals from a child: they are meant for the parent. A child ends when its input does.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
