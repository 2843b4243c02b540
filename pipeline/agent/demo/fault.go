package demo

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Fault is something that goes wrong with a share of the requests. ParseFaults makes them.
type Fault struct {
	name   string
	status int // of a fault that is an error answer; 0 for the others
	share  float64
}

// The faults that are not an error answer.
const (
	faultReset     = "reset"     // the connection is reset before anything is sent
	faultHang      = "hang"      // nothing is ever sent
	faultMalformed = "malformed" // status 200, but the body is not JSON
	faultEmpty     = "empty"     // status 200 and an answer without text
	faultTruncate  = "truncate"  // half the answer, with finish_reason "length"
	faultCut       = "cut"       // the connection breaks in the middle of the answer
)

var faultNames = []string{faultReset, faultHang, faultMalformed, faultEmpty, faultTruncate, faultCut}

// ParseFaults reads a list such as "500=0.05,429=0.1,hang=0.01": names with the share of the requests that each hits, from
// 0 to 1 and not more than 1 together. A name is an HTTP status from 400 to 599, or
//
//	reset      the connection is reset before anything is sent
//	hang       nothing is ever sent
//	malformed  status 200, but the body is not JSON
//	empty      status 200 and an answer without text
//	truncate   half the answer, with finish_reason "length"
//	cut        the connection breaks in the middle of the answer
//
// An empty list is no faults.
func ParseFaults(list string) ([]Fault, error) {
	var faults []Fault
	sum := 0.0
	for _, part := range strings.Split(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		f, err := parseFault(part)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(faults, func(other Fault) bool { return other.name == f.name }) {
			return nil, fmt.Errorf("fault %q: named twice", f.name)
		}
		if sum += f.share; sum > 1+1e-9 {
			return nil, fmt.Errorf("faults %.200q: the shares are more than 1 together", list)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

func parseFault(s string) (Fault, error) {
	name, value, ok := strings.Cut(s, "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok {
		return Fault{}, fmt.Errorf("fault %.40q: no share; write it as NAME=SHARE, such as 500=0.05", s)
	}
	f := Fault{name: name}
	if !slices.Contains(faultNames, name) {
		status, err := strconv.Atoi(name)
		if err != nil || status < 400 || status > 599 || len(name) != 3 {
			return Fault{}, fmt.Errorf("fault %.40q: no such fault; there are statuses from 400 to 599, %s", name, strings.Join(faultNames, ", "))
		}
		f.status = status
	}
	share, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(share) || share < 0 || share > 1 {
		return Fault{}, fmt.Errorf("fault %s: the share %.40q is not a number from 0 to 1", name, value)
	}
	f.share = share
	return f, nil
}

// pick tells which fault hits the n-th request, from 1; the zero Fault is none. It depends on the seed and n alone.
func pick(faults []Fault, seed, n uint64) Fault {
	if len(faults) == 0 {
		return Fault{}
	}
	x := float64(mix(seed, n)>>11) / (1 << 53)
	for _, f := range faults {
		if x < f.share {
			return f
		}
		x -= f.share
	}
	return Fault{}
}

// mix is the n-th number of the generator SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators",
// OOPSLA 2014) for a seed.
func mix(seed, n uint64) uint64 {
	z := seed + n*0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// problem is the error answer of a fault that is one.
func (f Fault) problem() *problem {
	p := &problem{status: f.status, Type: "server_error", Message: fmt.Sprintf("The server had an error (a fault that was asked for: %d %s).", f.status, http.StatusText(f.status))}
	switch {
	case f.status == http.StatusTooManyRequests:
		p = tooMany(0, time.Second)
		p.Message = "Rate limit reached (a fault that was asked for). Please try again in 1s."
	case f.status < 500:
		p.Type = "invalid_request_error"
	}
	return p
}

// reset breaks the connection, as a peer that died does.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2 or a recorder: the best that net/http can do
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		err = tcp.SetLinger(0)
	}
	_ = errors.Join(err, conn.Close()) // it is broken either way, which is the aim
}
