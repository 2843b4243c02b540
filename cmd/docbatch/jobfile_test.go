package main

import (
	"strings"
	"testing"
)

// TestUnknownKeys is keys that are none where they stand: what is said of them, and no URL that was written in the place of one.
func TestUnknownKeys(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
	}{
		"misspelt":            {"promt: x", `1:1: there is no key "promt" here; did you mean "prompt"?`},
		"of a section":        {"metrics: a.prom", `1:1: there is no key "metrics" here; it stands under notify`},
		"of two sections":     {"max_tokens: 5", `1:1: there is no key "max_tokens" here; it stands under agent or under limits`},
		"of the top level":    {"limits: {state: a.db}", `1:10: there is no key "state" here; it stands at the top level`},
		"of no such section":  {"input: x", `1:1: there is no key "input" here; did you mean "inputs"?`},
		"like no other":       {"colour: red", `1:1: there is no key "colour" here`},
		"the key itself":      {"agent: {api_key: x}", "1:9: the key never stands in the job file"},
		"a URL":               {"notify:\n  https://hc-ping.com/canary:", "2:3: there is no such key; a URL or a path stands behind its key"},
		"a URL with no https": {"hc-ping.com/canary: x", "1:1: there is no such key"},
	} {
		t.Run(name, func(t *testing.T) {
			path := writeFile(t, t.TempDir(), "job.yaml", tt.text+"\n")
			_, err := readJobFile(path)
			if err == nil || !strings.HasPrefix(err.Error(), path+":"+tt.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
