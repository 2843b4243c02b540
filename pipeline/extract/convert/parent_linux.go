package convert

import "syscall"

// endWithParent makes the program end when this process does, however that ends. What the program has started is out of reach then, but for its
// bound on computing time.
func endWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
