package demo

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Fault is something that goes wrong with a share of the requests. ParseFaults makes them.
type Fault struct {
	name     string
	status   int    // what the client sees; 0 where nothing is sent
	form     string // of an error answer: formJSON, formPage or formAfter
	share    float64
	from, to time.Duration // when it happens, counted from the first request
}

// A FaultFor is what goes wrong with the documents that hold a text. ParseFaultsFor makes them.
type FaultFor struct {
	text  string
	fault Fault
}

// always is the end of a fault that has none.
const always = time.Duration(math.MaxInt64)

// The forms of an error answer; a fault's name ends with them.
const (
	formJSON  = ""
	formPage  = "page"  // nginx's page
	formAfter = "after" // JSON, and Retry-After: 1
)

// The faults with a name of their own.
const (
	faultReset     = "reset"
	faultHang      = "hang"
	faultHangBody  = "hangbody"
	faultCut       = "cut"
	faultCutStream = "cutstream"
	faultMalformed = "malformed"
	faultHTML      = "html"
	faultNothing   = "nothing"
	faultNoChoices = "nochoices"
	faultNull      = "null"
	faultError200  = "error200"
	faultEmpty     = "empty"
	faultTruncate  = "truncate"
	faultFilter    = "filter"
	faultTooLong   = "too_long"
)

// faultNames are these, in the order in which people are told of them.
var faultNames = []string{
	faultReset, faultHang, faultHangBody, faultCut, faultCutStream, faultMalformed, faultHTML, faultNothing, faultNoChoices,
	faultNull, faultError200, faultEmpty, faultTruncate, faultFilter, faultTooLong,
}

// ParseFaults reads a list such as "500=0.05,hang=0.01,429=1@10s-20s": names with the share of the requests that each hits,
// from 0 to 1 and never more than 1 together, and where wanted the time in which it happens, counted from the first request;
// "@30s-" has no end. A name is
//
//	500        an error answer with this HTTP status, from 400 to 599; 429 comes with Retry-After: 1
//	503after   the same with Retry-After: 1
//	502page    nginx's page of HTML for this status, without Retry-After
//	reset      the connection is reset before anything is sent
//	hang       nothing is ever sent
//	hangbody   the header and half the answer, and then nothing more
//	cut        the connection breaks in the middle of the answer
//	cutstream  a stream ends in its middle without a word; a plain answer is cut
//	malformed  status 200, but the body is not JSON
//	html       status 200 and a page of HTML
//	nothing    status 200 and an empty body
//	nochoices  status 200 and an answer without choices
//	null       status 200 and an answer whose content is null
//	error200   status 200 and an error
//	empty      status 200 and an answer without text
//	truncate   half the answer, with finish_reason "length"
//	filter     half the answer, with finish_reason "content_filter"
//	too_long   the error of a prompt that exceeds the agent's context
//
// An empty list is no faults.
func ParseFaults(list string) ([]Fault, error) {
	var faults []Fault
	for _, part := range split(list) {
		f, err := parseFault(part)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(faults, func(other Fault) bool { return other.name == f.name && other.overlaps(f) }) {
			return nil, fmt.Errorf("fault %q: named twice", f.name)
		}
		faults = append(faults, f)
	}
	for _, f := range faults { // the most are in force when one begins
		if sumAt(faults, f.from) > 1+1e-9 {
			return nil, fmt.Errorf("faults %.200q: the shares are more than 1 together", list)
		}
	}
	return faults, nil
}

// ParseFaultsFor reads a list such as "marker-0007=400,marker-0042=hang": texts with the fault, as ParseFaults names them,
// that each request whose prompt holds the text gets. The first that fits counts. A text can't hold a comma.
func ParseFaultsFor(list string) ([]FaultFor, error) {
	var faults []FaultFor
	for _, part := range split(list) {
		i := strings.LastIndexByte(part, '=')
		text := strings.TrimSpace(part[:max(0, i)])
		if text == "" {
			return nil, fmt.Errorf("fault %.40q: no text; write it as TEXT=FAULT, such as marker-7=400", part)
		}
		f, err := namedFault(strings.TrimSpace(part[i+1:]))
		if err != nil {
			return nil, err
		}
		faults = append(faults, FaultFor{text, f})
	}
	return faults, nil
}

// split gives the parts of a list that are not blank.
func split(list string) (parts []string) {
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func parseFault(s string) (Fault, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok {
		return Fault{}, fmt.Errorf("fault %.40q: no share; write it as NAME=SHARE, such as 500=0.05", s)
	}
	f, err := namedFault(strings.TrimSpace(name))
	if err != nil {
		return Fault{}, err
	}
	value, times, limited := strings.Cut(value, "@")
	value = strings.TrimSpace(value)
	f.share, err = strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(f.share) || f.share < 0 || f.share > 1 {
		return Fault{}, fmt.Errorf("fault %s: the share %.40q is not a number from 0 to 1", f.name, value)
	}
	f.to = always
	if limited {
		if f.from, f.to, err = parseTimes(times); err != nil {
			return Fault{}, fmt.Errorf("fault %s: %w", f.name, err)
		}
	}
	return f, nil
}

// namedFault finds a fault by its name; it has no share.
func namedFault(name string) (Fault, error) {
	f := Fault{name: name, status: 200}
	switch {
	case name == faultReset || name == faultHang:
		f.status = 0
		return f, nil
	case name == faultTooLong:
		f.status = 400
		return f, nil
	case slices.Contains(faultNames, name):
		return f, nil
	}
	digits := name[:min(3, len(name))]
	status, err := strconv.Atoi(digits)
	f.status, f.form = status, name[len(digits):]
	if err != nil || status < 400 || status > 599 || f.form != formJSON && f.form != formPage && f.form != formAfter {
		return Fault{}, fmt.Errorf("fault %.40q: no such fault; there are statuses from 400 to 599 (500, or 500page, 500after), %s",
			name, strings.Join(faultNames, ", "))
	}
	return f, nil
}

// parseTimes reads "10s-20s" or "10s-".
func parseTimes(s string) (from, to time.Duration, err error) {
	first, last, ok := strings.Cut(strings.TrimSpace(s), "-")
	from, err = time.ParseDuration(first)
	to = always
	if err == nil && last != "" {
		to, err = time.ParseDuration(last)
	}
	if !ok || err != nil || from < 0 || to <= from {
		return 0, 0, fmt.Errorf("the time %.40q is not written as FROM-TO, such as 10s-20s or 30s-", s)
	}
	return from, to, nil
}

func (f Fault) at(since time.Duration) bool { return f.from <= since && since < f.to }

func (f Fault) overlaps(g Fault) bool { return f.from < g.to && g.from < f.to }

// sumAt is the sum of the shares at a time.
func sumAt(faults []Fault, since time.Duration) (sum float64) {
	for _, f := range faults {
		if f.at(since) {
			sum += f.share
		}
	}
	return sum
}

// pick tells which fault hits the n-th request, from 1, at a time since the first; the zero Fault is none. Of the faults of
// that time it depends on the seed and n alone.
func pick(faults []Fault, seed, n uint64, since time.Duration) Fault {
	if len(faults) == 0 {
		return Fault{}
	}
	x := float64(mix(seed, n)>>11) / (1 << 53)
	for _, f := range faults {
		if !f.at(since) {
			continue
		}
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
