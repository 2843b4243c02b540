package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

// The examples under docs/examples: each is read with what reads it in earnest where that is at hand, and its numbers must fit the
// job's. They share one job, in jobFolder.
const jobFolder = "/srv/night"

func example(t *testing.T, name string) string {
	t.Helper()
	return read(t, filepath.Join(repository, "docs", "examples", name))
}

// exampleJob is the examples' job file, read by the real loader.
func exampleJob(t *testing.T) *jobFile {
	t.Helper()
	j, err := readJobFile(filepath.Join(repository, "docs", "examples", "docbatch.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// checkEnds checks that a scheduler leaves a run the time that its job takes for itself: it kills only after the grace, and not before
// stop_after and the grace are over.
func checkEnds(t *testing.T, j *jobFile, killAfter, longest time.Duration) {
	t.Helper()
	grace, stopAfter := time.Duration(j.Limits.Grace), time.Duration(j.Limits.StopAfter)
	if killAfter != 0 && killAfter < grace+time.Minute {
		t.Errorf("it kills %v after the signal; with a grace of %v and a minute for the outputs that is too soon", killAfter, grace)
	}
	if longest <= stopAfter+grace {
		t.Errorf("it ends a run after %v; the job's own end, stop_after %v and grace %v, must come first", longest, stopAfter, grace)
	}
}

// checkRuns checks a command line that works the job in jobFolder.
func checkRuns(t *testing.T, args []string) {
	t.Helper()
	if err := parses(args); err != nil {
		t.Errorf("docbatch %s: %v", strings.Join(args, " "), err)
	}
	if want := []string{"run", "-f", jobFolder + "/docbatch.yaml"}; len(args) < 3 || !slices.Equal(args[:3], want) {
		t.Errorf("got docbatch %q, want it to begin with %q", args, want)
	}
}

// TestExampleJob works the examples' job as it stands, with the built-in agent.
func TestExampleJob(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"docbatch.yaml": example(t, "docbatch.yaml"), "inbox/a.txt": "Dear Sir, please call. A. Miller", "inbox/drafts/b.txt": "Dear"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := t.TempDir()
	cmd := process(elsewhere, "run", "--demo", "-f", filepath.Join(dir, "docbatch.yaml"), "--quiet")
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("got error %v and output %q, want neither", err, out)
	}
	if got := readCSV(t, filepath.Join(dir, "results.csv")); len(got) != 1 || got[0]["id"] != "a.txt" {
		t.Errorf("records: got %v, want that of a.txt", got)
	}
	for _, name := range []string{"docbatch.db", "docbatch.log"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestExampleCrontab(t *testing.T) {
	text := example(t, "crontab")
	if !strings.HasSuffix(text, "\n") {
		t.Error("cron ignores a last line without an end")
	}
	entry := regexp.MustCompile(`^((?:[\d*,/-]+\s+){5})(\S.*)$`)
	runs, variables := 0, map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		name, value, isVariable := strings.Cut(line, "=")
		m := entry.FindStringSubmatch(line)
		switch {
		case line == "" || line[0] == '#':
		case m != nil:
			if strings.Contains(strings.ReplaceAll(m[2], `\%`, ""), "%") {
				t.Errorf("cron makes a new line of %% in %q", line)
			}
			for _, words := range splitShell(m[2]) {
				if args, ok := docbatchArgs(words); ok {
					checkRuns(t, args)
					runs++
				}
			}
		case isVariable && !strings.Contains(name, " "):
			variables[name] = value
		default:
			t.Errorf("%q is neither five fields and a command nor a variable", line)
		}
	}
	if runs != 1 || variables["MAILTO"] == "" || !strings.Contains(variables["PATH"], "/usr/local/bin") {
		t.Errorf("got %d runs and variables %v, want one, MAILTO and PATH", runs, variables)
	}
}

func TestExampleSystemd(t *testing.T) {
	service, timer := readUnit(t, "docbatch.service"), readUnit(t, "docbatch.timer")
	program, args, _ := strings.Cut(service["Service.ExecStart"], " ")
	if program != "/usr/local/bin/docbatch" {
		t.Errorf("ExecStart: got %s", program)
	}
	checkRuns(t, strings.Fields(args))
	if !strings.HasPrefix(service["Service.LoadCredential"], "key:") || !strings.Contains(args, "--key-file ${CREDENTIALS_DIRECTORY}/key") {
		t.Errorf("the key is loaded as %q, and read as in %q", service["Service.LoadCredential"], args)
	}
	checkEnds(t, exampleJob(t), systemdTime(t, service["Service.TimeoutStopSec"]), systemdTime(t, service["Service.RuntimeMaxSec"]))
	for key, want := range map[string]string{"Service.Type": "exec", "Service.User": "docbatch", "Service.ReadWritePaths": jobFolder,
		"Service.ProtectSystem": "strict", "Service.NoNewPrivileges": "yes", "Service.PrivateTmp": "yes", "Unit.RequiresMountsFor": jobFolder} {
		if got := service[key]; got != want {
			t.Errorf("docbatch.service: %s: got %q, want %q", key, got, want)
		}
	}
	if code := fmt.Sprint(exitTerminated); service["Service.SuccessExitStatus"] != code {
		t.Errorf("systemctl stop makes the unit fail: SuccessExitStatus is %q, want %s", service["Service.SuccessExitStatus"], code)
	}
	if timer["Timer.OnCalendar"] == "" || timer["Timer.Persistent"] != "true" || timer["Install.WantedBy"] != "timers.target" {
		t.Errorf("docbatch.timer: got %v", timer)
	}
	verifyUnits(t, "docbatch.service", "docbatch.timer")
}

// readUnit reads a unit file: Section.Key to its value, the last where there are several.
func readUnit(t *testing.T, name string) map[string]string {
	t.Helper()
	unit, section := map[string]string{}, ""
	for i, line := range strings.Split(example(t, name), "\n") {
		key, value, ok := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[' && strings.HasSuffix(line, "]"):
			section = strings.Trim(line, "[]")
		case ok && section != "" && strings.TrimSpace(key) == key:
			unit[section+"."+key] = value
		default:
			t.Errorf("%s:%d: %q is no section, key or comment", name, i+1, line)
		}
	}
	return unit
}

func systemdTime(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(strings.Replace(text, "min", "m", 1))
	if err != nil {
		t.Error(err)
	}
	return d
}

// verifyUnits has systemd itself read the units, where it is installed. It wants the program to be there, so the test's takes its place.
func verifyUnits(t *testing.T, names ...string) {
	t.Helper()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("systemd-analyze is not here: what systemd makes of the units was left out")
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	args := []string{"verify"}
	for _, name := range names {
		unit := filepath.Join(dir, name)
		if err := os.WriteFile(unit, []byte(strings.ReplaceAll(example(t, name), "ExecStart=/usr/local/bin/docbatch", "ExecStart="+self)), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, unit)
	}
	out, err := exec.Command(analyze, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), dir) { // a key that it does not know is a warning only
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

func TestExampleLogrotate(t *testing.T) {
	if want := jobFolder + "/" + exampleJob(t).LogFile + " {"; !strings.Contains(example(t, "logrotate"), "\n"+want+"\n") {
		t.Errorf("it does not turn the job's log file: want %q", want)
	}
}

func TestExampleTask(t *testing.T) {
	text := example(t, "task.xml")
	if strings.ContainsFunc(text, func(r rune) bool { return r > 126 }) || strings.Contains(text, "encoding=") {
		t.Error("task.xml is not plain ASCII without an encoding: what is declared and what is read could differ")
	}
	var task struct {
		XMLName   xml.Name `xml:"http://schemas.microsoft.com/windows/2004/02/mit/task Task"`
		Principal struct {
			RunLevel string
		} `xml:"Principals>Principal"`
		Settings struct {
			MultipleInstancesPolicy string
			StartWhenAvailable      bool
			ExecutionTimeLimit      string
		}
		When string `xml:"Triggers>CalendarTrigger>StartBoundary"`
		Days int    `xml:"Triggers>CalendarTrigger>ScheduleByDay>DaysInterval"`
		Exec struct {
			Command, Arguments string
		} `xml:"Actions>Exec"`
	}
	if err := xml.Unmarshal([]byte(text), &task); err != nil {
		t.Fatal(err)
	}
	if s := task.Settings; s.MultipleInstancesPolicy != "IgnoreNew" || !s.StartWhenAvailable || task.Principal.RunLevel != "LeastPrivilege" {
		t.Errorf("settings: got %+v, run level %s", s, task.Principal.RunLevel)
	}
	if _, err := time.Parse("2006-01-02T15:04:05", task.When); err != nil || task.Days != 1 {
		t.Errorf("the trigger: every %d days from %s: %v", task.Days, task.When, err)
	}
	longest, err := time.ParseDuration(strings.ToLower(strings.TrimPrefix(task.Settings.ExecutionTimeLimit, "PT")))
	if err != nil {
		t.Error(err)
	}
	checkEnds(t, exampleJob(t), 0, longest) // Windows has no signal to wait after
	if want := `C:\Program Files\docbatch\docbatch.exe`; task.Exec.Command != want {
		t.Errorf("command: got %s, want %s", task.Exec.Command, want)
	}
	if err := parses(strings.Fields(task.Exec.Arguments)); err != nil || !strings.HasPrefix(task.Exec.Arguments, `run -f C:\night\docbatch.yaml`) {
		t.Errorf("arguments: got %s: %v", task.Exec.Arguments, err)
	}
}

// TestExampleAlerts checks that the rules watch what docbatch writes.
func TestExampleAlerts(t *testing.T) {
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(example(t, "alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	metrics := filepath.Join(t.TempDir(), "docbatch.prom")
	cmd := process(t.TempDir(), "run", "--demo", writeDocuments(t, 1), "--metrics", metrics)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	written, watched := read(t, metrics), 0
	for _, rule := range file.Groups[0].Rules {
		for _, name := range regexp.MustCompile(`\b[a-z]+_\w+`).FindAllString(rule.Expr, -1) {
			watched++
			if !strings.Contains(written, "\n# TYPE "+name+" ") {
				t.Errorf("%s watches %s, which docbatch does not write:\n%s", rule.Alert, name, written)
			}
		}
		if rule.Alert == "" || rule.Annotations["summary"] == "" || rule.Annotations["next"] == "" {
			t.Errorf("a rule has no name, or does not say what to do next: %+v", rule)
		}
	}
	if watched < 4 {
		t.Errorf("the rules watch %d metrics; the test looks at nothing", watched)
	}
}
