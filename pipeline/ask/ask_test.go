package ask_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"

	"docbatch/pipeline"
	"docbatch/pipeline/agent"
	"docbatch/pipeline/ask"
	"docbatch/pipeline/prompt"
)

// store keeps answers in memory.
type store map[string]*agent.Answer

func (s store) Answer(_ context.Context, request string, _ int64) (*agent.Answer, error) {
	return s[request], nil
}

func (s store) PutAnswer(_ context.Context, request string, _ int64, a *agent.Answer) error {
	s[request] = a
	return nil
}

// never is an agent that must not be asked.
func never(t *testing.T) agent.Agent {
	return agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
		t.Error("the agent was asked")
		return nil, errors.New("asked")
	})
}

func parse(t *testing.T, o prompt.Options) *prompt.Prompt {
	t.Helper()
	p, err := prompt.Parse(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAskSendsWhatTheOptionsSay(t *testing.T) {
	temperature := 0.0
	opts := ask.Options{Agent: "analyst", Params: agent.Params{Temperature: &temperature, MaxTokens: 7}, Stream: true}
	var got *agent.Request
	a := agent.Func(func(_ context.Context, req *agent.Request) (*agent.Answer, error) {
		got = req
		return &agent.Answer{Text: "yes", Model: "m-1", FinishReason: "stop", Tokens: pipeline.Tokens{Prompt: 5, Completion: 1}}, nil
	})
	step := ask.New(parse(t, prompt.Options{Prompt: "Is it {{raw .Text}}?", System: "Be brief."}), a, opts)
	var rec pipeline.Record
	if err := step.Do(t.Context(), &pipeline.Document{Text: "so"}, &rec); err != nil {
		t.Fatal(err)
	}
	want := &agent.Request{
		Agent:    "analyst",
		Messages: []agent.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "Is it so?"}},
		Params:   opts.Params,
		Stream:   true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("request:\n got %+v\nwant %+v", got, want)
	}
	wantRec := pipeline.Record{Answer: "yes", Model: "m-1", Tokens: pipeline.Tokens{Prompt: 5, Completion: 1}}
	if !reflect.DeepEqual(rec, wantRec) {
		t.Errorf("record:\n got %+v\nwant %+v", rec, wantRec)
	}
}

// The same document twice through a real Cache: the second answer is the stored one, and the record says so.
func TestAskNotesWhatTheDecoratorsTell(t *testing.T) {
	asked := 0
	next := agent.Func(func(_ context.Context, req *agent.Request) (*agent.Answer, error) {
		asked++
		return &agent.Answer{Text: "to " + req.Key, FinishReason: "stop"}, nil
	})
	cache := &agent.Cache{Next: next, Store: store{}, Base: "http://localhost"}
	step := ask.New(parse(t, prompt.Options{}), cache, ask.Options{Agent: "a"})
	for i, cached := range []bool{false, true} {
		var rec pipeline.Record
		if err := step.Do(t.Context(), &pipeline.Document{Text: "hello"}, &rec); err != nil {
			t.Fatal(err)
		}
		if rec.Cached != cached || len(rec.Request) != 64 || rec.Answer != "to "+rec.Request {
			t.Errorf("time %d: got %+v, want the answer to its request and Cached %t", i+1, rec, cached)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
}

// Through the decorators as a run has them: each request is an attempt in the record, also where none brought an answer.
func TestAskNotesAttempts(t *testing.T) {
	busy := pipeline.Errorf(pipeline.Transient, pipeline.KindServer, "busy")
	for _, tt := range []struct {
		name    string
		results []error // of each request; nil is an answer
		classes []pipeline.Class
		err     error
	}{
		{"answered", []error{nil}, []pipeline.Class{""}, nil},
		{"answered in the end", []error{busy, busy, nil}, []pipeline.Class{"transient", "transient", ""}, nil},
		{"given up", []error{busy, busy, busy}, []pipeline.Class{"transient", "transient", "transient"}, busy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				next := agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) {
					asked++
					if err := tt.results[asked-1]; err != nil {
						return nil, err
					}
					return &agent.Answer{Text: "yes"}, nil
				})
				a := &agent.Cache{Next: &agent.Retry{Next: agent.Traced{Next: next}, Attempts: 3}, Store: store{}}
				var rec pipeline.Record
				err := ask.New(parse(t, prompt.Options{}), a, ask.Options{}).Do(t.Context(), &pipeline.Document{Text: "hello"}, &rec)
				if !errors.Is(err, tt.err) {
					t.Errorf("got error %v, want %v", err, tt.err)
				}
				var classes []pipeline.Class
				for _, attempt := range rec.Attempts {
					classes = append(classes, attempt.Class)
				}
				if !slices.Equal(classes, tt.classes) || rec.Tries != len(tt.classes) {
					t.Errorf("got %d tries of the classes %q, want %q", rec.Tries, classes, tt.classes)
				}
				if len(rec.Request) != 64 {
					t.Errorf("got the request %q, want its hash", rec.Request)
				}
			})
		})
	}
}

func TestAskReturnsTheAgentsErrors(t *testing.T) {
	for _, want := range []error{
		pipeline.Errorf(pipeline.Fatal, pipeline.KindKey, "the key was refused"),
		pipeline.ErrStopping,
		context.Canceled,
	} {
		a := agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) { return nil, want })
		var rec pipeline.Record
		err := ask.New(parse(t, prompt.Options{}), a, ask.Options{}).Do(t.Context(), &pipeline.Document{Text: "x"}, &rec)
		if err != want {
			t.Errorf("got %v, want %v unchanged", err, want)
		}
		if !reflect.DeepEqual(rec, pipeline.Record{}) {
			t.Errorf("%v: got the record %+v, want nothing in it", want, rec)
		}
	}
}

func TestAskSendsNothing(t *testing.T) {
	fields := func(value string) []pipeline.Field { return []pipeline.Field{{Name: "a", Value: value}} }
	for _, tt := range []struct {
		name   string
		prompt string
		doc    pipeline.Document
		kind   string
	}{
		{"empty file", "Sum up.", pipeline.Document{}, pipeline.KindNoText},
		{"white space", "Sum up.", pipeline.Document{Text: " \n\u00a0\t"}, pipeline.KindNoText},
		{"empty row", "{{.Fields.a}}", pipeline.Document{Ref: pipeline.Ref{Fields: fields(" ")}}, pipeline.KindNoText},
		{"row whose text column is empty", "Sum up.", pipeline.Document{Ref: pipeline.Ref{Fields: fields("x")}}, pipeline.KindNoText},
		{"template that fails", "{{if .Row}}{{field .Name}}{{end}}x", pipeline.Document{Ref: pipeline.Ref{Row: 2, Name: "b"}, Text: "x"}, pipeline.KindPrompt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var rec pipeline.Record
			err := ask.New(parse(t, prompt.Options{Prompt: tt.prompt, Columns: []string{"a", "name"}}), never(t), ask.Options{}).Do(t.Context(), &tt.doc, &rec)
			if e := pipeline.AsError(err); e == nil || e.Class != pipeline.Invalid || e.Kind != tt.kind {
				t.Errorf("got %+v, want invalid, %s", e, tt.kind)
			}
		})
	}
}

func TestAskSendsARowWithoutText(t *testing.T) {
	a := agent.Func(func(_ context.Context, req *agent.Request) (*agent.Answer, error) {
		return &agent.Answer{Text: req.Messages[0].Content}, nil
	})
	doc := &pipeline.Document{Ref: pipeline.Ref{Fields: []pipeline.Field{{Name: "a", Value: "x"}}}}
	var rec pipeline.Record
	if err := ask.New(parse(t, prompt.Options{Prompt: "Is {{.Fields.a}} a letter?", Columns: []string{"a"}}), a, ask.Options{}).Do(t.Context(), doc, &rec); err != nil {
		t.Fatal(err)
	}
	if want := "Is x a letter?"; rec.Answer != want {
		t.Errorf("got %q, want %q", rec.Answer, want)
	}
}

// ask and check one after the other, as a run has them.
func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer agent.Answer
		state  pipeline.State
		text   string
		noted  string // in the record
		err    string // returned
		kind   string
	}{
		{"whole", agent.Answer{Text: "yes", FinishReason: "stop"}, "", "yes", "", "", ""},
		{"nothing said of its end", agent.Answer{Text: "yes"}, "", "yes", "", "", ""},
		{"cut", agent.Answer{Text: "yes, bu", FinishReason: "length", Tokens: pipeline.Tokens{Completion: 1024}}, pipeline.Truncated, "yes, bu",
			"the answer was cut at the agent's length limit (1024 tokens)", "", pipeline.KindTruncated},
		{"cut, not counted", agent.Answer{Text: "yes, bu", FinishReason: "length"}, pipeline.Truncated, "yes, bu",
			"the answer was cut at the agent's length limit", "", pipeline.KindTruncated},
		{"white space", agent.Answer{Text: " \n", FinishReason: "stop"}, "", "", "", "the answer is nothing but white space", pipeline.KindEmpty},
		{"cut before any text", agent.Answer{Text: "\n", FinishReason: "length", Tokens: pipeline.Tokens{Completion: 9}}, pipeline.Truncated, "", "",
			"the agent's length limit (9 tokens) was reached before the answer had any text", pipeline.KindTruncated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := agent.Func(func(context.Context, *agent.Request) (*agent.Answer, error) { return &tt.answer, nil })
			doc := &pipeline.Document{Text: "hello"}
			var rec pipeline.Record
			if err := ask.New(parse(t, prompt.Options{}), a, ask.Options{}).Do(t.Context(), doc, &rec); err != nil {
				t.Fatal(err)
			}
			err := ask.Check().Do(t.Context(), doc, &rec)
			if rec.State != tt.state || rec.Answer != tt.text {
				t.Errorf("got state %q and answer %q, want %q and %q", rec.State, rec.Answer, tt.state, tt.text)
			}
			checkError(t, "returned", pipeline.AsError(err), tt.err, tt.kind)
			checkError(t, "in the record", rec.Err, tt.noted, tt.kind)
		})
	}
}

// checkError checks that got is of class Refused, of a kind and with a message; nil where want is "".
func checkError(t *testing.T, where string, got *pipeline.Error, want, kind string) {
	t.Helper()
	if want == "" {
		if got != nil {
			t.Errorf("%s: got %v, want no error", where, got)
		}
		return
	}
	if got == nil || got.Class != pipeline.Refused || got.Kind != kind || got.Error() != want {
		t.Errorf("%s: got %+v, want refused, %s: %s", where, got, kind, want)
	}
}

func TestNames(t *testing.T) {
	if got := ask.New(parse(t, prompt.Options{}), never(t), ask.Options{}).Name(); got != "ask" {
		t.Errorf("got %q, want ask", got)
	}
	if got := ask.Check().Name(); got != "check" {
		t.Errorf("got %q, want check", got)
	}
}
