package convert

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func init() {
	fakes["fake-limits"] = func([]string) {
		for bounded := fmt.Sprint(maxCPU, " "); ; { // until docbatch has come to it
			if limits := read("/proc/self/limits"); strings.Contains(limits, bounded) {
				_, err := os.Stdout.WriteString(limits)
				check(err)
				return
			}
		}
	}
}

// TestComputingTime shows that what a program starts does not compute for ever, whoever is there to end it.
func TestComputingTime(t *testing.T) {
	out, _, err := fake("fake-limits", "{in}").Run(t.Context(), "a", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(strings.Fields(string(out)), " "); !strings.Contains(got, "Max cpu time 240 240 seconds") {
		t.Errorf("limits\n%s\nwant 240 seconds of CPU time", out)
	}
}
