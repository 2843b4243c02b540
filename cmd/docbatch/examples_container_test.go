package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
)

func TestExampleDockerfile(t *testing.T) {
	stages := dockerStages(t)
	if len(stages) != 2 {
		t.Fatalf("got %d stages, want one to build in and one to ship", len(stages))
	}
	build, ship := stages[0], stages[1]
	for _, s := range stages {
		if _, tag, _ := strings.Cut(strings.Fields(s["FROM"])[0], ":"); tag == "" || tag == "latest" {
			t.Errorf("FROM %s is not pinned to a tag", s["FROM"])
		}
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(read(t, filepath.Join(repository, "go.mod")))
	if want := "golang:" + goVersion[1] + " AS build"; build["FROM"] != want || !strings.Contains(build["RUN"], "CGO_ENABLED=0") {
		t.Errorf("it is built with %s in %s, want CGO_ENABLED=0 in %s", build["RUN"], build["FROM"], want)
	}
	if user := ship["USER"]; !regexp.MustCompile(`^[1-9]\d*(:[1-9]\d*)?$`).MatchString(user) {
		t.Errorf("USER %s is no number, or root", user)
	}
	entrypoint, command := jsonStrings(t, ship["ENTRYPOINT"]), jsonStrings(t, ship["CMD"])
	if copied := strings.Fields(ship["COPY"]); len(entrypoint) != 1 || entrypoint[0] != copied[len(copied)-1] {
		t.Errorf("ENTRYPOINT %v is not what COPY %v puts there", entrypoint, copied)
	}
	if err := parses(command); err != nil || ship["WORKDIR"] != jobFolder {
		t.Errorf("CMD %v in %s: %v", command, ship["WORKDIR"], err)
	}
}

// dockerStages are the stages of the Dockerfile, each with the last instruction of a name.
func dockerStages(t *testing.T) (stages []map[string]string) {
	t.Helper()
	known := []string{"FROM", "WORKDIR", "COPY", "RUN", "ARG", "USER", "ENTRYPOINT", "CMD"}
	for i, line := range strings.Split(example(t, "Dockerfile"), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		instruction, value, _ := strings.Cut(line, " ")
		if !slices.Contains(known, instruction) || value == "" {
			t.Fatalf("Dockerfile:%d: %q is none of %v with its value", i+1, line, known)
		}
		if instruction == "FROM" {
			stages = append(stages, map[string]string{})
		}
		stages[len(stages)-1][instruction] = value
	}
	return stages
}

func jsonStrings(t *testing.T, text string) (list []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Errorf("%s is no JSON list, so a shell would run it, and the image has none: %v", text, err)
	}
	return list
}

// cronJob is what matters here of the objects in cronjob.yaml.
type cronJob struct {
	Kind     string
	Metadata struct{ Name string }
	Data     map[string]string // of a ConfigMap
	Spec     struct {
		AccessModes       []string `yaml:"accessModes"` // of a claim
		Schedule          string
		TimeZone          string `yaml:"timeZone"`
		ConcurrencyPolicy string `yaml:"concurrencyPolicy"`
		JobTemplate       struct {
			Spec struct {
				BackoffLimit          *int `yaml:"backoffLimit"`
				ActiveDeadlineSeconds int  `yaml:"activeDeadlineSeconds"`
				Template              struct{ Spec podSpec }
			}
		} `yaml:"jobTemplate"`
	}
}

type podSpec struct {
	RestartPolicy                 string `yaml:"restartPolicy"`
	TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	Containers []container
	Volumes    []volume
}

type container struct {
	Image           string
	Args            []string
	Env             []struct{ Name, Value string }
	SecurityContext struct {
		ReadOnlyRootFilesystem bool `yaml:"readOnlyRootFilesystem"`
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
		ReadOnly  bool   `yaml:"readOnly"`
	} `yaml:"volumeMounts"`
}

type volume struct {
	Name      string
	ConfigMap struct{ Name string } `yaml:"configMap"`
	Secret    struct {
		Items []struct{ Path string }
	}
	Claim struct {
		Name string `yaml:"claimName"`
	} `yaml:"persistentVolumeClaim"`
}

// on finds the volume that holds a path of the container, and whether it can be written there.
func (p podSpec) on(file string) (v volume, writable bool) {
	for _, m := range p.Containers[0].VolumeMounts {
		if file == m.MountPath || strings.HasPrefix(file, m.MountPath+"/") {
			i := slices.IndexFunc(p.Volumes, func(v volume) bool { return v.Name == m.Name })
			if i >= 0 {
				return p.Volumes[i], !m.ReadOnly
			}
		}
	}
	return volume{}, false
}

func TestExampleCronJob(t *testing.T) {
	objects := readCronJob(t)
	cron, config := objects["CronJob"], objects["ConfigMap"]
	spec := cron.Spec.JobTemplate.Spec
	pod := spec.Template.Spec
	if fields := strings.Fields(cron.Spec.Schedule); len(fields) != 5 {
		t.Errorf("schedule: got %q, want five fields", cron.Spec.Schedule)
	}
	if cron.Spec.ConcurrencyPolicy != "Forbid" || pod.RestartPolicy != "Never" || spec.BackoffLimit == nil || *spec.BackoffLimit != 0 {
		t.Errorf("a run could be started beside, or right after another: %s, %s, backoffLimit %v", cron.Spec.ConcurrencyPolicy, pod.RestartPolicy, spec.BackoffLimit)
	}
	if got := objects["PersistentVolumeClaim"].Spec.AccessModes; !slices.Equal(got, []string{"ReadWriteOnce"}) {
		t.Errorf("access modes: got %v, want ReadWriteOnce: SQLite's file is for one node", got)
	}
	c := pod.Containers[0]
	if !pod.SecurityContext.RunAsNonRoot || !c.SecurityContext.ReadOnlyRootFilesystem || strings.HasSuffix(c.Image, ":latest") || !strings.Contains(c.Image, ":") {
		t.Errorf("the container: root %v, writes to itself %v, image %s", !pod.SecurityContext.RunAsNonRoot, !c.SecurityContext.ReadOnlyRootFilesystem, c.Image)
	}
	checkZone(t, cron.Spec.TimeZone, c)
	j := jobOfConfigMap(t, config)
	checkEnds(t, j, time.Duration(pod.TerminationGracePeriodSeconds)*time.Second, time.Duration(spec.ActiveDeadlineSeconds)*time.Second)
	checkCronJobFiles(t, pod, config, j)
}

// readCronJob reads the objects by their kind.
func readCronJob(t *testing.T) map[string]cronJob {
	t.Helper()
	objects := map[string]cronJob{}
	for dec := yaml.NewDecoder(strings.NewReader(example(t, "cronjob.yaml"))); ; {
		var o cronJob
		if err := dec.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		objects[o.Kind] = o
	}
	for _, kind := range []string{"ConfigMap", "PersistentVolumeClaim", "CronJob"} {
		if objects[kind].Metadata.Name == "" {
			t.Fatalf("cronjob.yaml has no %s with a name", kind)
		}
	}
	return objects
}

// checkZone checks that the schedule's zone is also the program's.
func checkZone(t *testing.T, zone string, c container) {
	t.Helper()
	if _, err := time.LoadLocation(zone); err != nil || zone == "" {
		t.Errorf("timeZone %q: %v", zone, err)
	}
	for _, v := range c.Env {
		if v.Name == "TZ" && v.Value == zone {
			return
		}
	}
	t.Errorf("the schedule is in %s, the program's TZ is not: %v", zone, c.Env)
}

// jobOfConfigMap reads the job file in a ConfigMap with the real loader.
func jobOfConfigMap(t *testing.T, config cronJob) *jobFile {
	t.Helper()
	file := filepath.Join(t.TempDir(), "docbatch.yaml")
	if err := os.WriteFile(file, []byte(config.Data["docbatch.yaml"]), 0o644); err != nil {
		t.Fatal(err)
	}
	j, err := readJobFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// checkCronJobFiles checks that each file the job names is on a volume where it can be found, or written.
func checkCronJobFiles(t *testing.T, pod podSpec, config cronJob, j *jobFile) {
	t.Helper()
	args := pod.Containers[0].Args
	if err := parses(args); err != nil || len(args) < 3 || args[1] != "-f" {
		t.Fatalf("args %q: %v", args, err)
	}
	if v, _ := pod.on(args[2]); v.ConfigMap.Name != config.Metadata.Name || config.Data[path.Base(args[2])] == "" || config.Data[j.PromptFile] == "" {
		t.Errorf("%s or its prompt %s is not in the ConfigMap", args[2], j.PromptFile)
	}
	if v, _ := pod.on(j.Agent.KeyFile); len(v.Secret.Items) != 1 || v.Secret.Items[0].Path != path.Base(j.Agent.KeyFile) {
		t.Errorf("the key file %s is not in the Secret: %+v", j.Agent.KeyFile, v)
	}
	for _, file := range append(j.Outputs, j.State) {
		if v, writable := pod.on(file); !writable || v.Claim.Name != config.Metadata.Name {
			t.Errorf("%s is on the volume %q, want the state's, writable", file, v.Name)
		}
	}
	for _, in := range j.Inputs {
		if v, writable := pod.on(in.Path); writable || v.Claim.Name == "" {
			t.Errorf("the input %s is on the volume %q, want a claim, read-only", in.Path, v.Name)
		}
	}
	if _, writable := pod.on("/tmp"); !writable {
		t.Error("there is no /tmp to write to: workbooks and plan need one")
	}
}
