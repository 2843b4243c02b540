package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"docbatch/pipeline/guess"
)

type doctorOptions struct {
	jobFlags
	online bool
	json   bool
}

func newDoctorCommand(e env) *cobra.Command {
	o := &doctorOptions{}
	cmd := &cobra.Command{
		Use:   "doctor [INPUT...]",
		Short: "Check all that a run needs, and send nothing",
		Long: `Look at the job as run would, with the same inputs, flags and environment: job file, inputs, prompt, programs that read documents,
state file, disk, outputs, limits, key, clock, and who is told. Each finding is ok, a warning or an error, with what to do next. Nothing is sent, and no file
is changed or stays: a hidden one beside each output shows that the output can be written, and a large workbook is unpacked into a
temporary one.

With --online the agent is asked one short question, which costs what a short question costs.

The exit code is 0 where there is no error; else what run would end with for the first one. A state file that another run
holds is a warning: that says nothing of the job.`,
		Example: `  docbatch doctor -f nightly.yaml
  docbatch doctor letters/ --agent invoice-analyst --rpm 300 --online`,
		RunE: func(cmd *cobra.Command, args []string) error {
			d := &doctor{env: e, options: o, now: time.Now()}
			d.width, _ = terminal(e.stdout)
			d.examine(cmd, args)
			return d.conclude()
		},
	}
	o.jobFlags.add(cmd.Flags())
	cmd.Flags().BoolVar(&o.online, "online", false, "ask the agent one short question, and say how it answers")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object")
	return cmd
}

// What a finding can be.
const (
	statusOK      = "ok"
	statusWarning = "warning"
	statusError   = "error"
)

// A finding is what doctor says of one thing that it looked at.
type finding struct {
	Check  string `json:"check"`
	Status string `json:"status"`
	Found  string `json:"found"`
	Next   string `json:"next,omitempty"` // what to do; "" where all is well
	Exit   int    `json:"exit,omitempty"` // of an error: what run would end with
}

// A doctor looks at a job and tells what it finds, as it finds it.
type doctor struct {
	env
	options  *doctorOptions
	now      time.Time
	width    int // of the terminal; 0 where stdout is none
	findings []finding

	settings *settings
	jobFile  *jobFile
	job      *job
	keyErr   error     // why the key file could not be read
	lastEnd  time.Time // of the newest run; zero where none has ended
	asked    bool      // a request was sent
}

// examine makes all checks, in the order in which they are told.
func (d *doctor) examine(cmd *cobra.Command, args []string) {
	ctx := cmd.Context()
	if !d.load(cmd, args) {
		d.clock()
		return
	}
	d.variables(cmd.Root())
	d.question(ctx)
	d.extraction(ctx)
	d.state(ctx)
	d.disk()
	d.outputs()
	d.limits()
	d.agent()
	d.key()
	d.notified()
	d.clock()
	if d.options.online {
		d.online(ctx)
	}
}

func (d *doctor) ok(check, format string, args ...any) {
	d.add(finding{Check: check, Status: statusOK, Found: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, next, format string, args ...any) {
	d.add(finding{Check: check, Status: statusWarning, Found: fmt.Sprintf(format, args...), Next: next})
}

// fail tells of what a run would end with. next is what to do where the error does not say it.
func (d *doctor) fail(check, next string, err error) {
	if own := whatNext(err); own != "" {
		next = own
	}
	d.add(finding{Check: check, Status: statusError, Found: err.Error(), Next: next, Exit: exitCode(err)})
}

// The columns of a line: the status, the check, and what was found from there on.
const (
	checkAt = 9
	foundAt = checkAt + 13
)

func (d *doctor) add(f finding) {
	f.Found, f.Next = printable(f.Found), printable(f.Next)
	d.findings = append(d.findings, f)
	if d.options.json {
		return
	}
	text := f.Found
	if f.Next != "" {
		text += "\n" + f.Next
	}
	head := fmt.Sprintf("%-*s%-*s", checkAt, f.Status, foundAt-checkAt, f.Check)
	for _, line := range wrapped(text, d.width-foundAt) {
		fmt.Fprintf(d.stdout, "%s%s\n", head, line)
		head = strings.Repeat(" ", foundAt)
	}
}

// wrapped are the lines of text, those longer than width broken between words; they stay as they are where there is hardly room.
func wrapped(text string, width int) []string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		for len([]rune(line)) > width && width >= 20 {
			end := strings.LastIndexByte(string([]rune(line)[:width+1]), ' ')
			if end <= 0 { // a word that is longer
				if end = strings.IndexByte(line, ' '); end <= 0 {
					break
				}
			}
			lines, line = append(lines, line[:end]), strings.TrimLeft(line[end:], " ")
		}
		lines = append(lines, line)
	}
	return lines
}

// count is how many findings have a status.
func (d *doctor) count(status string) (n int) {
	for _, f := range d.findings {
		if f.Status == status {
			n++
		}
	}
	return n
}

// conclude says how many findings there are, and gives the exit code of the first error.
func (d *doctor) conclude() error {
	code := exitOK
	if i := slices.IndexFunc(d.findings, func(f finding) bool { return f.Status == statusError }); i >= 0 {
		code = d.findings[i].Exit
	}
	warnings, errs := d.count(statusWarning), d.count(statusError)
	if d.options.json {
		writeJSON(d.stdout, "doctor", map[string]any{"findings": d.findings, "warnings": warnings, "errors": errs, "exit": code, "asked": d.asked})
	} else {
		sent := "nothing was sent"
		if d.asked {
			sent = "one question was sent"
		}
		fmt.Fprintf(d.stdout, "%s: %s, %s; %s\n", plural(len(d.findings), "finding"), plural(errs, "error"), plural(warnings, "warning"), sent)
	}
	if code == exitOK {
		return nil
	}
	return &toldError{code: code}
}

// load finds the job and resolves its settings; it reports whether there is a job to look at.
func (d *doctor) load(cmd *cobra.Command, args []string) bool {
	const next = "Mend what is named; docbatch run --help lists all flags, docbatch init writes a job file with every key explained."
	file, err := findJobFile(cmd, d.env, &d.options.jobFlags, args)
	if err == nil {
		d.settings, d.jobFile, err = loadSettings(cmd, d.env, file)
	}
	if err == nil {
		d.job, err = d.settings.resolve(&d.options.jobFlags, d.jobFile, file, args)
	}
	if d.job == nil {
		d.fail("job", next, err)
		return false
	}
	d.keyErr = err // the key is looked for last
	from := "no job file: flags, environment and defaults"
	if file != "" {
		from = "job file " + absolute(file)
		if d.settings.dotenv != nil {
			from += ", with .env beside it"
		}
	}
	d.ok("job", "%s (%s)", d.job.name, from)
	return true
}

// absolute is path as it is found from anywhere, for people.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// variables finds variables that were meant for docbatch and set nothing. Only their names are told.
func (d *doctor) variables(root *cobra.Command) {
	known := d.knownVariables(root)
	set := map[string]string{}
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); value != "" {
			set[name] = "the environment"
		}
	}
	for name, value := range d.settings.dotenv {
		if set[name] == "" && value != "" {
			set[name] = d.job.dotenv
		}
	}
	var used []string
	unknown := 0
	for _, name := range slices.Sorted(maps.Keys(set)) {
		switch {
		case slices.Contains(known, name):
			used = append(used, name)
		case strings.HasPrefix(name, "DOCBATCH_"):
			unknown++
			d.warn("environment", "Rename or remove it: a flag such as --max-cost is DOCBATCH_MAX_COST.",
				"the variable %s in %s sets nothing%s", name, set[name], guess.DidYouMean(name, known))
		}
	}
	switch {
	case len(used) > 0:
		d.ok("environment", "%s set", strings.Join(used, ", ")+oneOrMore(len(used), " is", " are"))
	case unknown == 0:
		d.ok("environment", "nothing is set by variables")
	}
}

// knownVariables are the variables that docbatch looks for, for any of its commands.
func (d *doctor) knownVariables(root *cobra.Command) []string {
	f, jf := &d.options.jobFlags, d.jobFile
	known := []string{urlVariable, d.keyVariable(), pick(d.settings, "webhook-secret-env", f.webhookSecretEnv, jf.Notify.WebhookSecretEnv)}
	for _, cmd := range root.Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, variableOf(f.Name)) })
	}
	return known
}

// question looks at the inputs and at the prompt.
func (d *doctor) question(ctx context.Context) {
	q := d.inputs(ctx)
	if q == nil {
		return // without the columns nothing can be said of the prompt
	}
	defer q.close()
	if err := q.parse(d.job); err != nil {
		d.fail("prompt", "", withExit(exitUsage, err, "Mend the prompt; README.md lists what a template can print."))
		return
	}
	d.documents(ctx, q)
}
