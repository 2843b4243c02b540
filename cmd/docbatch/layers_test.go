package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The layout, executable: who may import whom. A package is governed by the longest path that it begins with.
var (
	// layers says which packages of this repository a package may import: those at or below these paths.
	layers = map[string][]string{
		"pipeline":       {},
		"pipeline/guess": {},

		"pipeline/charset":         {},
		"pipeline/extract":         {"pipeline", "pipeline/charset", "pipeline/extract"},
		"pipeline/extract/content": {"pipeline"},

		"pipeline/agent":        {"pipeline"},
		"pipeline/agent/openai": {"pipeline", "pipeline/agent"},
		"pipeline/agent/demo":   {"pipeline/agent/demo"},

		"pipeline/prompt": {"pipeline", "pipeline/agent", "pipeline/guess"},
		"pipeline/ask":    {"pipeline", "pipeline/agent", "pipeline/prompt"},

		"sources": {"pipeline", "pipeline/charset", "pipeline/extract/workbook/numfmt", "pipeline/guess", "sources"},
		"sinks":   {"pipeline", "sinks"},

		"jobs":          {"pipeline"},
		"jobs/jobstest": {"jobs", "pipeline"},
		"jobs/sqlite":   {"jobs", "pipeline", "pipeline/agent"},

		"cmd": {"jobs", "jobs/sqlite", "pipeline", "pipeline/agent", "pipeline/agent/demo", "pipeline/agent/openai", "pipeline/ask",
			"pipeline/extract", "pipeline/guess", "pipeline/prompt", "sinks", "sources"},
	}

	// exact are the entries of layers that do not stand for what lies below them too.
	exact = []string{"pipeline", "pipeline/agent", "jobs"}

	// only says which packages alone may import a module.
	only = map[string][]string{
		"modernc.org/sqlite":                     {"jobs/sqlite"},
		"github.com/sashabaranov/go-openai":      {"pipeline/agent/openai"},
		"github.com/xuri/excelize/v2":            {"sources/xlsx", "sinks/xlsx", "pipeline/extract/workbook", "testdata"},
		"github.com/klippa-app/go-pdfium":        {"pipeline/extract/pdf"},
		"github.com/tetratelabs/wazero":          {"pipeline/extract/pdf"},
		"codeberg.org/readeck/go-readability/v2": {"pipeline/extract/html"},
		"github.com/ulikunitz/xz":                {"sources/archive"},
		"github.com/mikelolasagasti/xz":          {"sources/archive"},
		"github.com/spf13/cobra":                 {"cmd"},
		"github.com/goccy/go-yaml":               {"cmd"},
	}

	// standardOnly may import nothing but the standard library.
	standardOnly = []string{"pipeline", "pipeline/guess", "pipeline/agent/demo"}
)

// pkg is what go list says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, "docbatch/") }

func TestLayers(t *testing.T) {
	pkgs := listPackages(t)
	if len(pkgs) < 10 {
		t.Fatalf("go list names %d packages; the test looks at nothing", len(pkgs))
	}
	for _, p := range pkgs {
		for _, err := range violations(p) {
			t.Error(err)
		}
	}
}

// TestLayersFindViolations shows that the rules can be broken.
func TestLayersFindViolations(t *testing.T) {
	for name, p := range map[string]pkg{
		"pipeline imports upward":      {ImportPath: "docbatch/pipeline", Imports: []string{"docbatch/jobs"}},
		"pipeline imports a module":    {ImportPath: "docbatch/pipeline", Imports: []string{"golang.org/x/sync/errgroup"}},
		"jobs imports its store":       {ImportPath: "docbatch/jobs", Imports: []string{"docbatch/jobs/sqlite"}},
		"a source imports a sink":      {ImportPath: "docbatch/sources/csv", Imports: []string{"docbatch/sinks"}},
		"an agent imports its adapter": {ImportPath: "docbatch/pipeline/agent", Imports: []string{"docbatch/pipeline/agent/openai"}},
		"a source imports SQLite":      {ImportPath: "docbatch/sources/csv", Imports: []string{"modernc.org/sqlite"}},
		"something imports cmd":        {ImportPath: "docbatch/sinks", Imports: []string{"docbatch/cmd/docbatch"}},
		"a package without any layer":  {ImportPath: "docbatch/util", Imports: nil},
		"cmd speaks to go-openai":      {ImportPath: "docbatch/cmd/docbatch", Imports: []string{"github.com/sashabaranov/go-openai"}},
	} {
		if len(violations(p)) == 0 {
			t.Errorf("%s: no violation found", name)
		}
	}
}

// violations are the imports of p that break the rules.
func violations(p pkg) (errs []error) {
	if strings.HasPrefix(p.name(), "testdata") {
		return nil
	}
	layer := layerOf(p.name())
	if layer == "" {
		return []error{fmt.Errorf("%s is in no layer: add it to the layout or move it", p.name())}
	}
	for _, imp := range p.Imports {
		name, ours := strings.CutPrefix(imp, "docbatch/")
		switch {
		case ours && !allowed(layers[layer], name):
			errs = append(errs, fmt.Errorf("%s imports %s; it may import only %v", p.name(), name, layers[layer]))
		case !ours && slices.Contains(standardOnly, layer) && strings.Contains(imp, "."):
			errs = append(errs, fmt.Errorf("%s imports %s; it may import only the standard library", p.name(), imp))
		}
		for module, importers := range only {
			if (imp == module || strings.HasPrefix(imp, module+"/")) && !allowed(importers, p.name()) {
				errs = append(errs, fmt.Errorf("%s imports %s; only %v may", p.name(), imp, importers))
			}
		}
	}
	return errs
}

// layerOf is the entry of layers that governs a package; "" for none.
func layerOf(name string) string {
	best := ""
	for layer := range layers {
		if under(name, layer) && len(layer) > len(best) {
			best = layer
		}
	}
	return best
}

// allowed reports whether a package is one of paths, or below one that stands for what lies below it.
func allowed(paths []string, name string) bool {
	return slices.ContainsFunc(paths, func(path string) bool { return name == path || under(name, path) })
}

func under(name, path string) bool {
	if name == path {
		return true
	}
	return !slices.Contains(exact, path) && strings.HasPrefix(name, path+"/")
}

// listPackages asks go list for every package of the repository, tests left out.
func listPackages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Standard", "docbatch/...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
}
