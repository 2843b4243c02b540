package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/joho/godotenv"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"docbatch/pipeline/agent"
	"docbatch/sources"
)

// loadJob resolves the settings of a command line. args are the inputs; none means those of the job file. With an error the job is
// only good for telling of that: who is told is known as far as it can be.
func loadJob(cmd *cobra.Command, e env, f *jobFlags, args []string) (*job, error) {
	file, findErr := findJobFile(cmd, e, f, args)
	s, jf, loadErr := loadSettings(cmd, e, file)
	err := cmp.Or(findErr, loadErr)
	var j *job
	if err == nil {
		j, err = s.resolve(f, jf, file, args)
	}
	if j == nil {
		j, _ = s.begin(f, jf, file) // there is an error already
	}
	return j, err
}

// loadSettings reads the job file, if there is one, and what may stand beside it. With an error, that is what can be read of them.
func loadSettings(cmd *cobra.Command, e env, file string) (*settings, *jobFile, error) {
	s, jf := &settings{flags: cmd.Flags(), env: e}, &jobFile{}
	var fileErr, dotenvErr error
	if file != "" {
		s.dir = filepath.Dir(file)
		jf, fileErr = readJobFile(file)
		s.dotenv, dotenvErr = readDotenv(filepath.Join(s.dir, ".env"))
	}
	return s, jf, cmp.Or(fileErr, dotenvErr, s.environment())
}

// findJobFile says which job file is meant; "" for none.
func findJobFile(cmd *cobra.Command, e env, f *jobFlags, args []string) (string, error) {
	file := f.file
	if file == "" {
		file, _ = e.lookup(variableOf("file"))
	}
	if file != "" {
		return file, nil
	}
	if _, err := os.Stat(defaultJobFile); err != nil {
		return "", nil
	}
	if len(args) == 0 {
		return defaultJobFile, nil
	}
	if _, byEnv := e.lookup(variableOf("state")); byEnv || cmd.Flags().Changed("state") {
		return "", nil
	}
	// The job's own state would take these inputs for all of the job's documents.
	return "", withExit(exitUsage, fmt.Errorf("inputs are given, and %s is here too: which job is meant?", defaultJobFile),
		"Say -f "+defaultJobFile+" for that job with these inputs, or --state FILE for a job of its own.")
}

// readDotenv reads the variables of a .env file; none if it is not there. With an error, those are of the lines that are sound.
func readDotenv(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, withExit(exitUsage, err, "")
	}
	vars, err := godotenv.UnmarshalBytes(text)
	if err == nil {
		return vars, nil
	}
	for line := range strings.Lines(string(text)) {
		if sound, err := godotenv.Unmarshal(line); err == nil {
			maps.Copy(vars, sound)
		}
	}
	// The error of the parser can quote the line, and the line can be a key.
	return vars, withExit(exitUsage, fmt.Errorf("%s is not of the form NAME=value", path), "")
}

// settings resolves one setting after the other.
type settings struct {
	flags  *pflag.FlagSet
	env    env
	dotenv map[string]string
	dir    string // of the job file; what its paths are relative to
}

// lookup finds a variable in the environment, or else in the .env file.
func (s *settings) lookup(name string) (string, bool) {
	if v, ok := s.env.lookup(name); ok {
		return v, true
	}
	v, ok := s.dotenv[name]
	return v, ok
}

// environment sets every flag that was not given from DOCBATCH_NAME, and the base URL from Swiftask's own variable.
func (s *settings) environment() (err error) {
	s.flags.VisitAll(func(f *pflag.Flag) {
		name := variableOf(f.Name)
		v, ok := s.lookup(name)
		if f.Name == "base-url" && !ok {
			name = urlVariable
			v, ok = s.lookup(name)
		}
		if !ok || f.Changed || f.Name == "help" || f.Name == "file" { // findJobFile has looked for that one
			return
		}
		if setErr := s.flags.Set(f.Name, v); setErr != nil && err == nil {
			err = withExit(exitUsage, fmt.Errorf("the variable %s: %w", name, setErr), "")
		}
	})
	return err
}

// variableOf is the variable that stands for a flag.
func variableOf(flag string) string {
	return "DOCBATCH_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// given reports whether a flag was given, on the command line or by the environment.
func (s *settings) given(name string) bool { return s.flags.Changed(name) }

// pick is the flag's value if it was given, else the job file's if that is set, else the flag's default.
func pick[T comparable](s *settings, flag string, flagValue, fileValue T) T {
	var unset T
	if s.given(flag) || fileValue == unset {
		return flagValue
	}
	return fileValue
}

// pointer is the same for settings that differ between unset and zero.
func pointer[T any](s *settings, flag string, flagValue T, fileValue *T) *T {
	if s.given(flag) {
		return &flagValue
	}
	return fileValue
}

// begin makes a job that knows its name, its state, its outputs, its log file, and who is told of it. Those can be told what is wrong
// with the rest.
func (s *settings) begin(f *jobFlags, jf *jobFile, file string) (*job, error) {
	j := &job{name: jf.Name, file: file, state: s.state(f, jf, file)}
	if j.name == "" {
		j.name = strings.TrimSuffix(filepath.Base(j.state), filepath.Ext(j.state))
	}
	j.outputs = f.outputs
	if !s.given("output") {
		for _, path := range jf.Outputs {
			j.outputs = append(j.outputs, s.inDir(path))
		}
	}
	j.logFile = pick(s, "log-file", f.logFile, s.inDir(jf.LogFile))
	var err error
	j.notify, err = s.notify(f, &jf.Notify)
	return j, withExit(exitUsage, err, "")
}

// resolve makes the job.
func (s *settings) resolve(f *jobFlags, jf *jobFile, file string, args []string) (*job, error) {
	j, err := s.begin(f, jf, file)
	if err != nil {
		return nil, err
	}
	j.keyFile = pick(s, "key-file", f.keyFile, s.inDir(jf.Agent.KeyFile))
	j.slug = pick(s, "agent", f.slug, jf.Agent.Slug)
	j.baseURL = pick(s, "base-url", f.baseURL, jf.Agent.BaseURL)
	j.stream = pick(s, "stream", f.stream, jf.Agent.Stream)
	j.demo = f.demo
	j.params = agent.Params{
		Temperature: pointer(s, "temperature", f.temperature, jf.Agent.Temperature),
		TopP:        pointer(s, "top-p", f.topP, jf.Agent.TopP),
		MaxTokens:   pick(s, "max-answer-tokens", f.answerTokens, jf.Agent.MaxTokens),
		Seed:        pointer(s, "seed", f.seed, jf.Agent.Seed),
	}
	if j.limits, err = s.limits(f, jf, time.Now()); err != nil {
		return nil, withExit(exitUsage, err, "")
	}
	if j.extraction, err = s.extraction(&f.extractFlags, &jf.Extract); err != nil {
		return nil, withExit(exitUsage, err, "")
	}
	if file != "" {
		j.dotenv = filepath.Join(s.dir, ".env")
	}
	if err := s.prompts(j, f, jf); err != nil {
		return nil, err
	}
	if err := s.paths(j, f, jf, args); err != nil {
		return nil, err
	}
	if err := s.afterwards(j, f, jf); err != nil {
		return nil, withExit(exitUsage, err, "")
	}
	if err := j.check(); err != nil {
		return nil, withExit(exitUsage, err, "")
	}
	return j, s.findKey(j, f, jf)
}

// afterwards finds what is done with the results, and when a person is asked first.
func (s *settings) afterwards(j *job, f *jobFlags, jf *jobFile) error {
	gone := cmp.Or(pick(s, "gone", f.gone, jf.Gone), goneDrop) // commands without outputs have no such flag
	if err := checkGone(gone); err != nil {
		return err
	}
	j.keepGone = gone == goneKeep
	j.confirmAbove = f.confirmAbove
	if n := pointer(s, "confirm-above", f.confirmAbove, jf.Confirm); n != nil {
		j.confirmAbove = *n
	}
	if j.confirmAbove < 0 {
		return fmt.Errorf("--confirm-above is %d; it must be 0 (always ask) or more", j.confirmAbove)
	}
	return nil
}

// prompts finds the two templates: each from the flag, the flag's file, the job file, or the job file's file.
func (s *settings) prompts(j *job, f *jobFlags, jf *jobFile) (err error) {
	j.prompt, j.promptName, err = s.template("prompt", f.prompt, f.promptFile, jf.Prompt, jf.PromptFile)
	if err != nil {
		return err
	}
	j.system, j.systemName, err = s.template("system", f.system, f.systemFile, jf.System, jf.SystemFile)
	return err
}

// template gives the text of one template, and a name for its errors.
func (s *settings) template(what, flag, flagFile, inFile, fileOfFile string) (text, name string, err error) {
	defer func() {
		if err == nil && name != "" && strings.TrimSpace(text) == "" {
			err = withExit(exitUsage, fmt.Errorf("the %s of %s is empty", what, name), "Write one, or leave it out for the default.")
		}
	}()
	byFlag, byFlagFile := s.given(what), s.given(what+"-file")
	switch {
	case byFlag && byFlagFile:
		return "", "", withExit(exitUsage, fmt.Errorf("--%s and --%s-file are both given", what, what), "Give one of them.")
	case byFlag:
		return flag, "--" + what, nil
	case byFlagFile:
		return readTemplate(flagFile)
	case inFile != "" && fileOfFile != "":
		return "", "", withExit(exitUsage, fmt.Errorf("the job file has both %s and %s_file", what, what), "Keep one of them.")
	case fileOfFile != "":
		return readTemplate(s.inDir(fileOfFile))
	case inFile != "":
		return inFile, what + " in the job file", nil
	}
	return "", "", nil
}

// maxTemplate bounds a template file: more is a document that was named by mistake.
const maxTemplate = 1 << 20

func readTemplate(path string) (text, name string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", "", withExit(exitUsage, err, "")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxTemplate+1))
	switch {
	case err != nil:
		return "", "", withExit(exitUsage, err, "")
	case len(b) > maxTemplate:
		return "", "", withExit(exitUsage, fmt.Errorf("%s is larger than a prompt can be (1 MiB)", path), "")
	case !utf8.Valid(b):
		return "", "", withExit(exitUsage, fmt.Errorf("%s is not UTF-8", path), "Save it as UTF-8.")
	}
	return strings.TrimPrefix(string(b), "\ufeff"), path, nil
}

// inDir makes a path of the job file one that can be opened from here.
func (s *settings) inDir(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(s.dir, path)
}

// paths finds the inputs.
func (s *settings) paths(j *job, f *jobFlags, jf *jobFile, args []string) error {
	inputs := make([]input, 0, len(args))
	for _, path := range args {
		inputs = append(inputs, input{Path: path})
	}
	if len(args) == 0 {
		for _, in := range jf.Inputs {
			in.Path = s.inDir(in.Path)
			inputs = append(inputs, in)
		}
	}
	skip, err := j.ownFiles()
	if err != nil {
		return err
	}
	for _, in := range inputs {
		spec, err := s.spec(in, f.input)
		if err != nil {
			return withExit(exitUsage, err, "")
		}
		spec.Skip = skip // sources.OpenAll adds the inputs themselves
		j.inputs = append(j.inputs, spec)
	}
	return nil
}

// state is the state file's path: beside the job file and named for it, unless told otherwise.
func (s *settings) state(f *jobFlags, jf *jobFile, file string) string {
	switch {
	case s.given("state") || file == "" && jf.State == "":
		return f.state
	case jf.State != "":
		return s.inDir(jf.State)
	}
	return strings.TrimSuffix(file, filepath.Ext(file)) + ".db"
}

// ownFiles are the job's files that are no documents, even if they lie in an input.
func (j *job) ownFiles() ([]string, error) {
	own := slices.Concat(slices.Collect(maps.Keys(j.protected())), j.outputs)
	for i, path := range own {
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		own[i] = abs
	}
	return own, nil
}

// spec is one input with its settings; a flag wins over the job file's setting of every input.
func (s *settings) spec(in, flags input) (sources.Spec, error) {
	spec := sources.Spec{
		Path:           in.Path,
		Include:        in.Include,
		Exclude:        in.Exclude,
		Hidden:         pick(s, "hidden", flags.Hidden, in.Hidden),
		FollowSymlinks: pick(s, "follow-symlinks", flags.FollowSymlinks, in.FollowSymlinks),
		Key:            pick(s, "key", flags.Key, in.Key),
		Text:           pick(s, "text", flags.Text, in.Text),
		NoHeader:       pick(s, "no-header", flags.NoHeader, in.NoHeader),
		Sheet:          pick(s, "sheet", flags.Sheet, in.Sheet),
		HeaderRow:      pick(s, "header-row", flags.HeaderRow, in.HeaderRow),
	}
	if s.given("include") {
		spec.Include = flags.Include
	}
	if s.given("exclude") {
		spec.Exclude = flags.Exclude
	}
	if spec.Path == "" {
		return spec, errors.New("an input has no path")
	}
	delimiter, err := parseDelimiter(pick(s, "delimiter", flags.Delimiter, in.Delimiter))
	spec.Delimiter = delimiter
	return spec, err
}

// parseDelimiter reads a delimiter as a person writes it; 0 for none.
func parseDelimiter(s string) (rune, error) {
	switch strings.ToLower(s) {
	case "":
		return 0, nil
	case "tab", `\t`, "\t":
		return '\t', nil
	case ",", ";", "|":
		return rune(s[0]), nil
	}
	return 0, fmt.Errorf("the delimiter %q is none of , ; | and tab", s)
}

// findKey finds the key: in the file that is named, or in the variable that is named. It comes from nowhere else.
func (s *settings) findKey(j *job, f *jobFlags, jf *jobFile) error {
	if j.demo {
		j.baseURL, j.key = demoBase, ""
		if j.slug == "" {
			j.slug = demoSlug
		}
		return nil
	}
	if j.keyFile != "" {
		b, err := os.ReadFile(j.keyFile)
		if err != nil {
			return withExit(exitUsage, fmt.Errorf("read the key: %w", err), "")
		}
		j.key, j.keyFrom = strings.TrimSpace(string(b)), j.keyFile
		return nil
	}
	name := pick(s, "key-env", f.keyEnv, jf.Agent.KeyEnv)
	key, _ := s.lookup(name)
	j.key = strings.TrimSpace(key)
	// A server of one's own needs no key; who names a variable means to have one.
	if s.given("key-env") || jf.Agent.KeyEnv != "" || strings.HasPrefix(j.baseURL, defaultBaseURL) {
		j.keyFrom = "the variable " + name
	}
	return nil
}
