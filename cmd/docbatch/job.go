package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"docbatch/pipeline/agent"
	"docbatch/sources"
)

const (
	defaultJobFile = "docbatch.yaml"
	defaultState   = "docbatch.db"
	defaultBaseURL = "https://api.swiftask.fr/v1"
	defaultWorkers = 8
	keyVariable    = "SWIFTASK_API_KEY"
	urlVariable    = "SWIFTASK_BASE_URL"

	webhookSecretVariable = "DOCBATCH_WEBHOOK_SECRET"
)

// What --gone may be.
const (
	goneDrop = "drop"
	goneKeep = "keep"
)

// job is what is to be done, all settings resolved: flags win over the environment, that over the .env file beside the job
// file, that over the job file, that over defaults. Paths are absolute, or relative to the working directory.
type job struct {
	name   string
	file   string // the job file; "" where there is none
	inputs []sources.Spec

	prompt, promptName string
	system, systemName string

	slug    string
	baseURL string
	key     string
	keyFrom string // where the key was looked for; "" where nothing was named and none is needed
	keyFile string
	dotenv  string // the .env file beside the job file; "" without a job file
	params  agent.Params
	stream  bool
	demo    bool

	limits
	extraction extraction

	state        string
	outputs      []string
	keepGone     bool // outputs also hold documents that are gone from the inputs
	logFile      string
	confirmAbove int // on a terminal, ask before more documents are sent
	notify
}

// notify is who is told how a run goes, besides the person who started it. The URLs are secrets.
type notify struct {
	ping          string // base URL of a check in the convention of healthchecks.io; "" for none
	webhook       string
	webhookSecret string
	metrics       string // a file for Prometheus' textfile collector
}

// jobFlags are the flags that describe a job, as they were given.
type jobFlags struct {
	file       string
	prompt     string
	promptFile string
	system     string
	systemFile string
	agentFlags
	limitFlags
	extractFlags
	input input

	state        string
	outputs      []string
	gone         string
	logFile      string
	confirmAbove int
	notifyFlags
}

// notifyFlags are those of notify, as they were given.
type notifyFlags struct {
	ping             string
	webhook          string
	webhookSecretEnv string
	metrics          string
}

func (n *notifyFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&n.ping, "ping", "", "tell this URL of start and end, as healthchecks.io has it; a secret: better in DOCBATCH_PING")
	fs.StringVar(&n.webhook, "webhook", "", "send the summary of the run to this URL as JSON; a secret: better in DOCBATCH_WEBHOOK")
	fs.StringVar(&n.webhookSecretEnv, "webhook-secret-env", webhookSecretVariable, "the environment variable that holds the secret that signs it")
	fs.StringVar(&n.metrics, "metrics", "", "keep this .prom file up to date for Prometheus' textfile collector")
}

// agentFlags are those that say which agent is asked, and how.
type agentFlags struct {
	slug         string
	baseURL      string
	keyEnv       string
	keyFile      string
	stream       bool
	temperature  float64
	topP         float64
	answerTokens int
	seed         int
	timeout      time.Duration
	idleTimeout  time.Duration
	demo         bool

	headerTimeout time.Duration
}

func (a *agentFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&a.slug, "agent", "", "the agent's slug (sent as the model)")
	fs.StringVar(&a.baseURL, "base-url", defaultBaseURL, "where the agent is: an OpenAI-compatible API")
	fs.StringVar(&a.keyEnv, "key-env", keyVariable, "the environment variable that holds the key")
	fs.StringVar(&a.keyFile, "key-file", "", "the file that holds the key")
	fs.BoolVar(&a.stream, "stream", false, "stream the answers: where a proxy cuts idle connections")
	fs.Float64Var(&a.temperature, "temperature", 0, "sampling temperature (default: the agent's)")
	fs.Float64Var(&a.topP, "top-p", 0, "nucleus sampling (default: the agent's)")
	fs.IntVar(&a.answerTokens, "max-answer-tokens", 0, "bound on an answer's length in tokens (default: the agent's)")
	fs.IntVar(&a.seed, "seed", 0, "sampling seed (default: none)")
	fs.DurationVar(&a.timeout, "timeout", 10*time.Minute, "the longest time for one answer")
	fs.DurationVar(&a.headerTimeout, "header-timeout", 0, "the longest wait for an answer to begin (default: only --timeout bounds it)")
	fs.DurationVar(&a.idleTimeout, "idle-timeout", 2*time.Minute, "the longest silence within an answer that has begun")
	fs.BoolVar(&a.demo, "demo", false, "use the built-in agent: no key, no network")
}

func (f *jobFlags) add(fs *pflag.FlagSet) {
	f.addState(fs)
	fs.StringVar(&f.prompt, "prompt", "", "the prompt template (default: a general analysis)")
	fs.StringVar(&f.promptFile, "prompt-file", "", "the file that holds the prompt template")
	fs.StringVar(&f.system, "system", "", "the system prompt")
	fs.StringVar(&f.systemFile, "system-file", "", "the file that holds the system prompt")
	f.agentFlags.add(fs)

	fs.StringArrayVar(&f.input.Include, "include", nil, "only files that match this glob (** crosses folders)")
	fs.StringArrayVar(&f.input.Exclude, "exclude", nil, "no files that match this glob")
	fs.BoolVar(&f.input.Hidden, "hidden", false, "also files and folders whose name begins with a dot")
	fs.BoolVar(&f.input.FollowSymlinks, "follow-symlinks", false, "follow symbolic links in folders")
	fs.StringVar(&f.input.Key, "key", "", "the column that names a row (default: its values do)")
	fs.StringVar(&f.input.Text, "text", "", "the column that is a row's text (default: all of them)")
	fs.BoolVar(&f.input.NoHeader, "no-header", false, "the first row is no header; the columns are col_1, col_2 …")
	fs.StringVar(&f.input.Delimiter, "delimiter", "", `what separates the columns of a CSV: , ; | or tab (default: found)`)
	fs.StringVar(&f.input.Sheet, "sheet", "", "the sheet of a workbook, by name or number (default: the first visible one)")
	fs.IntVar(&f.input.HeaderRow, "header-row", 0, "the row of a sheet that is its header (default: the first that is not empty)")

	f.limitFlags.add(fs)
	f.extractFlags.add(fs)
	fs.BoolVar(&f.keep, "keep-extracted", false, "keep the answers to what an earlier docbatch extracted, though this one would extract better")
	fs.StringArrayVarP(&f.outputs, "output", "o", nil, "write the records to this .csv, .xlsx or .jsonl file (repeatable)")
	fs.StringVar(&f.gone, "gone", goneDrop, "documents that are gone from the inputs: drop leaves them out of the outputs, keep marks them there")
	fs.StringVar(&f.logFile, "log-file", "", "append what is said to this file, with the time, whatever is printed")
	fs.IntVar(&f.confirmAbove, "confirm-above", 100, "on a terminal, ask before more documents than that are sent (see --yes)")
	f.notifyFlags.add(fs)
}

// addState adds the flags that name a job: enough for commands that only look at its state.
func (f *jobFlags) addState(fs *pflag.FlagSet) {
	fs.StringVarP(&f.file, "file", "f", "", "the job file (default: "+defaultJobFile+" where no inputs are given)")
	fs.StringVar(&f.state, "state", defaultState, "the state file")
}

// check finds settings that cannot be meant.
func (j *job) check() error {
	if j.params.MaxTokens < 0 {
		return fmt.Errorf("--max-answer-tokens is %d; it must be 1 or more", j.params.MaxTokens)
	}
	if j.pace.Reserve && j.params.MaxTokens == 0 {
		return errors.New("--reserve-answer-tokens needs --max-answer-tokens: else there is nothing to reserve")
	}
	for name, v := range map[string]*float64{"temperature": j.params.Temperature, "top-p": j.params.TopP} {
		if v != nil && (math.IsNaN(*v) || *v < 0 || *v > 2) {
			return fmt.Errorf("--%s is %v; it must be from 0 to 2", name, *v)
		}
	}
	return nil
}

// ready says what is still missing before the agent can be asked.
func (j *job) ready() error {
	if j.slug == "" {
		return withExit(exitUsage, errors.New("no agent is named"), "Name it with --agent SLUG, or try docbatch without one: --demo.")
	}
	return j.keyReady()
}

// keyReady says what is still missing of the key.
func (j *job) keyReady() error {
	if j.key != "" || j.keyFrom == "" {
		return nil
	}
	return withExit(exitKey, fmt.Errorf("there is no key: %s is empty or not set", j.keyFrom),
		"Put it into that variable, into .env beside the job file, or name a file with --key-file; or try --demo.")
}

// asked names the agent for people.
func (j *job) asked() string {
	if j.demo {
		return "the built-in agent"
	}
	return fmt.Sprintf("%s at %s", j.slug, j.baseURL)
}

// question is the fingerprint of what is asked of every document: prompt, agent and parameters, text column, and the
// versions of the steps. Where it changes, every document is asked again.
func (j *job) question(prompt string) string { return j.questionOf(prompt, j.extraction.version) }

// questionOf is question for a version of what is extracted.
func (j *job) questionOf(prompt string, version int) string {
	var texts []string
	for _, in := range j.inputs {
		texts = append(texts, in.Text)
	}
	slices.Sort(texts)
	texts = slices.Compact(texts) // another input with the same setting is no other question
	parts := []any{prompt, j.slug, j.baseURL, j.params, texts, version}
	if x := j.extraction.fingerprint(); x != "" {
		parts = append(parts, x)
	}
	b, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings and finite numbers
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// extractVersion changes when the extract step gives another text for the same bytes.
var extractVersion = 2 // a variable for the tests alone
