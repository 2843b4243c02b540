package extract

import "syscall"

// attributes make a child end with its parent, however that ends, and keep the terminal's signals from it: they are meant for the parent. The signal is
// sent when the thread that started it ends; Go ends a thread only with a goroutine that is locked to it, and there is none here.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
