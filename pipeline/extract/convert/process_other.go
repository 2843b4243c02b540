//go:build !unix

package convert

import "os/exec"

// prepare leaves all as it is: what the program starts may outlive it.
func prepare(*exec.Cmd) {}

// kill ends the program. One that has ended already is no error.
func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
