package openai

import (
	"math"
	"net/http"
	"strings"
	"time"

	"docbatch/pipeline/agent"
)

// noteRates tells whoever paces the call what the service says of its limits. It does so when the headers are there and not
// when the answer is: a stream may take minutes.
func (c *call) noteRates() {
	if r := rates(c.header, time.Now()); r.Requests.Known || r.Tokens.Known {
		agent.NoteRates(c.parent, r)
	}
}

// A triple names the headers in which a limit is told, in their canonical form.
type triple struct{ limit, remaining, reset string }

var (
	openAITokens   = triple{"X-Ratelimit-Limit-Tokens", "X-Ratelimit-Remaining-Tokens", "X-Ratelimit-Reset-Tokens"}
	openAIRequests = triple{"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Reset-Requests"}
	olderIETF      = triple{"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"}
	custom         = triple{"X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset"}
)

// rates reads the headers of limits: OpenAI's, RateLimit as the IETF has it (draft-ietf-httpapi-ratelimit-headers) and had it,
// and the X-RateLimit that was there before, which counts requests.
func rates(h http.Header, now time.Time) agent.Rates {
	requests := openAIRequests.read(h, now)
	if !requests.Known {
		requests = structured(h, now)
	}
	if !requests.Known {
		requests = olderIETF.read(h, now)
	}
	if !requests.Known {
		requests = custom.read(h, now)
	}
	return agent.Rates{Requests: requests, Tokens: openAITokens.read(h, now)}
}

// read reads a limit. Most services tell none, so that only one header is looked for first.
func (t *triple) read(h http.Header, now time.Time) agent.Rate {
	told := h[t.remaining]
	if len(told) == 0 {
		return agent.Rate{}
	}
	remaining, ok := quantity(told[0])
	if !ok {
		return agent.Rate{}
	}
	limit, _ := quantity(h.Get(t.limit))
	return agent.Rate{Known: true, Limit: limit, Remaining: remaining, Reset: span(h.Get(t.reset), h, now)}
}

// quantity reads a number that is not negative; behind it may stand policies, as in "100, 100;w=60".
func quantity(value string) (int, bool) {
	if end := strings.IndexAny(value, ",;"); end >= 0 {
		value = value[:end]
	}
	n, ok := number(value)
	if !ok || strings.HasPrefix(strings.TrimSpace(value), "-") {
		return 0, false
	}
	return int(min(n, math.MaxInt32)), true
}

// policyBytes bounds what is read of a header that lists limits.
const policyBytes = 4 << 10

// structured reads `RateLimit: "default";r=50;t=30` and `RateLimit-Policy: "default";q=100;w=60`. Of several limits on requests
// it gives the one of which the least is left.
func structured(h http.Header, now time.Time) agent.Rate {
	var least agent.Rate
	if h["Ratelimit"] == nil {
		return least
	}
	policies := list(h, "Ratelimit-Policy")
	for _, item := range list(h, "Ratelimit") {
		remaining, ok := quantity(item.parameters["r"])
		policy := named(policies, item.name)
		if unit := policy["qu"]; !ok || unit != "" && unit != `"requests"` || least.Known && least.Remaining <= remaining {
			continue
		}
		limit, _ := quantity(policy["q"])
		least = agent.Rate{Known: true, Limit: limit, Remaining: remaining, Reset: span(item.parameters["t"], h, now)}
	}
	return least
}

// An item of a list, with its parameters (RFC 9651), as far as limits need it.
type item struct {
	name       string
	parameters map[string]string
}

// named gives the parameters of the item with a name; nil where there is none.
func named(items []item, name string) map[string]string {
	for _, one := range items {
		if one.name == name {
			return one.parameters
		}
	}
	return nil
}

// list reads the items of a header.
func list(h http.Header, header string) []item {
	var items []item
	for _, member := range splitUnquoted(cut(strings.Join(h[header], ","), policyBytes), ',') {
		parts := splitUnquoted(member, ';')
		one := item{strings.TrimSpace(parts[0]), map[string]string{}}
		for _, part := range parts[1:] {
			key, value, _ := strings.Cut(part, "=")
			one.parameters[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
		items = append(items, one)
	}
	return items
}

// splitUnquoted splits s at each separator that is not within quotes.
func splitUnquoted(s string, separator byte) []string {
	var parts []string
	begin, quoted := 0, false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == separator && !quoted:
			parts = append(parts, s[begin:i])
			begin = i + 1
		}
	}
	return append(parts, s[begin:])
}
