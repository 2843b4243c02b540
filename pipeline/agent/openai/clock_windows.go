package openai

import (
	"syscall"
	"time"
	"unsafe"
)

var unbiased = syscall.NewLazyDLL("kernel32.dll").NewProc("QueryUnbiasedInterruptTime")

// now reads both clocks. Go's monotonic clock goes on while Windows sleeps, and its timers with it; this one of Windows stops.
func now() instant {
	var ticks uint64 // of 100 ns
	_, _, _ = unbiased.Call(uintptr(unsafe.Pointer(&ticks)))
	return instant{wall: time.Duration(time.Now().UnixNano()), awake: time.Duration(ticks) * 100}
}
