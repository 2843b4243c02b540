package jobstest

import (
	"testing"
	"time"
)

func TestMem(t *testing.T) {
	Test(t, func(t *testing.T, now func() time.Time) Store {
		m := NewMem()
		m.Now = now
		return m
	})
}
