package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"docbatch/pipeline/guess"
)

// jobFile is the job file as it is written: every key of it, and no other. Paths in it are relative to its folder.
type jobFile struct {
	Name       string      `yaml:"name"`
	Inputs     []input     `yaml:"inputs"`
	Prompt     string      `yaml:"prompt"`
	PromptFile string      `yaml:"prompt_file"`
	System     string      `yaml:"system"`
	SystemFile string      `yaml:"system_file"`
	Agent      agentFile   `yaml:"agent"`
	Limits     limitsFile  `yaml:"limits"`
	Extract    extractFile `yaml:"extract"`
	State      string      `yaml:"state"`
	Outputs    []string    `yaml:"outputs"`
	Gone       string      `yaml:"gone"`
	LogFile    string      `yaml:"log_file"`
	Confirm    *int        `yaml:"confirm_above"`
	Notify     notifyFile  `yaml:"notify"`
}

// notifyFile is who is told how a run goes.
type notifyFile struct {
	Ping             string `yaml:"ping"`
	Webhook          string `yaml:"webhook"`
	WebhookSecretEnv string `yaml:"webhook_secret_env"`
	Metrics          string `yaml:"metrics"`
}

// input is one input: a path, or a path with settings.
type input struct {
	Path           string   `yaml:"path"`
	Include        []string `yaml:"include"`
	Exclude        []string `yaml:"exclude"`
	Hidden         bool     `yaml:"hidden"`
	FollowSymlinks bool     `yaml:"follow_symlinks"`
	Key            string   `yaml:"key"`
	Text           string   `yaml:"text"`
	NoHeader       bool     `yaml:"no_header"`
	Delimiter      string   `yaml:"delimiter"`
	Sheet          string   `yaml:"sheet"`
	HeaderRow      int      `yaml:"header_row"`
}

// UnmarshalYAML lets an input be written as its path alone.
func (in *input) UnmarshalYAML(unmarshal func(any) error) error {
	var path string
	if err := unmarshal(&path); err == nil {
		*in = input{Path: path}
		return nil
	}
	type plain input
	return unmarshal((*plain)(in))
}

type agentFile struct {
	Slug          string    `yaml:"slug"`
	BaseURL       string    `yaml:"base_url"`
	KeyEnv        string    `yaml:"key_env"`
	KeyFile       string    `yaml:"key_file"`
	Stream        bool      `yaml:"stream"`
	Temperature   *float64  `yaml:"temperature"`
	TopP          *float64  `yaml:"top_p"`
	MaxTokens     int       `yaml:"max_tokens"`
	Seed          *int      `yaml:"seed"`
	ContextTokens int       `yaml:"context_tokens"`
	Price         priceFile `yaml:"price"`
}

type priceFile struct {
	Input  *float64 `yaml:"input"`
	Output *float64 `yaml:"output"`
}

type limitsFile struct {
	Workers       int      `yaml:"workers"`
	RPM           float64  `yaml:"rpm"`
	TPM           float64  `yaml:"tpm"`
	InFlight      int      `yaml:"in_flight"`
	Reserve       bool     `yaml:"reserve"`
	MaxPause      duration `yaml:"max_pause"`
	GiveUpAfter   duration `yaml:"give_up_after"`
	Attempts      int      `yaml:"attempts"`
	Repeats       *int     `yaml:"repeats"`
	Timeout       duration `yaml:"timeout"`
	HeaderTimeout duration `yaml:"header_timeout"`
	IdleTimeout   duration `yaml:"idle_timeout"`
	Grace         duration `yaml:"grace"`
	MaxRequests   int      `yaml:"max_requests"`
	MaxTokens     int      `yaml:"max_tokens"`
	MaxCost       float64  `yaml:"max_cost"`
	StopAfter     duration `yaml:"stop_after"`
	StopAt        text     `yaml:"stop_at"`
	FailThreshold text     `yaml:"fail_threshold"`
}

// text is taken as it is written, also where it looks like a number.
type text string

// UnmarshalYAML reads a text.
func (t *text) UnmarshalYAML(node ast.Node) error {
	*t = text(node.GetToken().Value)
	return nil
}

// duration is a time.Duration written as "90s" or "10m".
type duration time.Duration

// UnmarshalYAML reads a duration.
func (d *duration) UnmarshalYAML(node ast.Node) error {
	token := node.GetToken()
	v, err := time.ParseDuration(token.Value)
	if err != nil {
		return &yaml.SyntaxError{Message: fmt.Sprintf("%q is not a time such as 90s or 10m", token.Value), Token: token}
	}
	*d = duration(v)
	return nil
}

// maxJobFile bounds what is read as a job file: more is some other file.
const maxJobFile = 1 << 20

// readJobFile reads and checks the form of a job file. Every error is of the user's making and names line and column; with one, the
// job file is what could be read before it.
func readJobFile(path string) (*jobFile, error) {
	j := &jobFile{}
	f, err := os.Open(path)
	if err != nil {
		return j, withExit(exitUsage, err, "Write one with: docbatch init")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxJobFile+1))
	if err != nil {
		return j, withExit(exitUsage, err, "")
	}
	if len(b) > maxJobFile {
		return j, withExit(exitUsage, fmt.Errorf("%s is larger than a job file can be (1 MiB)", path), "")
	}
	dec := yaml.NewDecoder(bytes.NewReader(b), yaml.DisallowUnknownField())
	if err := dec.Decode(j); err != nil && !errors.Is(err, io.EOF) {
		return j, withExit(exitUsage, jobFileError(path, err), "docbatch init writes a job file with every key explained.")
	}
	return j, nil
}

// jobFileError puts a YAML error in our words: file:line:column, what is wrong, and a guess.
func jobFileError(path string, err error) error {
	var at yaml.Error
	if !errors.As(err, &at) {
		return fmt.Errorf("%s: %w", path, err)
	}
	msg := at.GetMessage()
	if token := at.GetToken(); token != nil && token.Position != nil {
		path = fmt.Sprintf("%s:%d:%d", path, token.Position.Line, token.Position.Column)
	}
	if _, name, ok := strings.Cut(msg, `unknown field "`); ok {
		return fmt.Errorf("%s: %s", path, unknownKey(strings.TrimSuffix(name, `"`)))
	}
	if wrong, ok := errors.AsType[*yaml.TypeError](err); ok && wrong.DstType != nil {
		return fmt.Errorf("%s: this must be %s", path, inWords(wrong.DstType))
	}
	return fmt.Errorf("%s: %s", path, msg)
}

// unknownKey says what is wrong with a key that is not one where it stands.
func unknownKey(name string) string {
	if slices.Contains([]string{"key", "api_key", "apikey"}, name) {
		return "the key never stands in the job file; name the variable or the file that holds it with key_env or key_file"
	}
	if strings.Contains(name, "/") { // a URL is a secret
		return "there is no such key; a URL or a path stands behind its key, such as ping: https://HOST/PATH"
	}
	keys := keysOf(reflect.TypeFor[jobFile]())
	var sections, others []string
	for _, key := range keys {
		section, last := splitKey(key)
		switch {
		case last != name:
			others = append(others, last)
		case section == "":
			sections = append(sections, "at the top level")
		default:
			sections = append(sections, "under "+section)
		}
	}
	if len(sections) > 0 && !slices.Contains(keys, name+"s") { // input is meant for inputs, and not for agent.price.input
		return fmt.Sprintf("there is no key %q here; it stands %s", name, strings.Join(sections, " or "))
	}
	return fmt.Sprintf("there is no key %q here%s", name, guess.DidYouMean(name, others))
}

// splitKey parts a key from its section; "" for none.
func splitKey(key string) (section, name string) {
	at := strings.LastIndex(key, ".")
	return key[:max(at, 0)], key[at+1:]
}

// inWords is what a person writes for a value of a type.
func inWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int, reflect.Float64, reflect.Pointer:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list, one entry a line with a dash before it"
	}
	return "a section with keys of its own"
}

// keysOf lists the keys that a job file knows, those of its sections as in notify.ping.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range t.Fields() {
		key := f.Tag.Get("yaml")
		keys = append(keys, key)
		ft := f.Type
		if ft.Kind() == reflect.Slice {
			ft = ft.Elem()
		}
		if ft.Kind() == reflect.Struct {
			for _, within := range keysOf(ft) {
				keys = append(keys, key+"."+within)
			}
		}
	}
	return keys
}
