package extract

import (
	"os"
	"strconv"
	"strings"
)

// resident is how much memory this process takes, in bytes: what the operating system counts.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return heap()
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return heap()
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return heap()
	}
	return pages * int64(os.Getpagesize())
}
