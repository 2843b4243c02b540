//go:build unix

package openai

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"docbatch/pipeline"
)

// TestNoFileDescriptors takes all of them away, first from a connection to an address and then from the look-up of a name.
func TestNoFileDescriptors(t *testing.T) {
	byAddress := serve(t, with200("application/json", good))
	byName := dial(t, strings.Replace(byAddress.base, "127.0.0.1", "agents.test", 1))
	takeDescriptors(t)
	for _, a := range []*Agent{byAddress, byName} {
		_, err := a.Ask(t.Context(), question())
		wantError(t, err, pipeline.Fatal, pipeline.KindMachine, "connect to "+a.base+": this machine has no file descriptors left: ")
	}
}

// takeDescriptors lowers the limit to what is open, until the test ends.
func takeDescriptors(t *testing.T) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
	})
	none := was
	none.Cur = 3
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	if f, err := os.Open(os.DevNull); err == nil {
		f.Close()
		t.Fatal("a file was opened over the limit")
	}
}
