package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCacheDir: a service or a container may have no home, or none that can be written.
func TestCacheDir(t *testing.T) {
	for name, c := range map[string]struct {
		home func(dir string) string // the value of the variables that name it
		kept bool
	}{
		"a home":                  {func(dir string) string { return dir }, true},
		"a home to be made":       {func(dir string) string { return filepath.Join(dir, "home") }, true},
		"no home":                 {func(string) string { return "" }, false},
		"a home that is no place": {func(dir string) string { return filepath.Join(dir, "file", "home") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("XDG_CACHE_HOME", "")
			for _, key := range []string{"HOME", "LocalAppData"} {
				t.Setenv(key, c.home(dir))
			}
			got, remove := cacheDir()
			if err := os.WriteFile(filepath.Join(got, "compiled"), nil, 0o600); err != nil {
				t.Errorf("the folder: got %v, want one that can be written", err)
			}
			remove()
			if _, err := os.Stat(got); (err == nil) != c.kept {
				t.Errorf("%s after the run: got %v, want kept %t", got, err, c.kept)
			}
		})
	}
}

// TestCacheDirNowhere: reading goes on without a folder.
func TestCacheDirNowhere(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	for _, key := range []string{"HOME", "LocalAppData", "XDG_CACHE_HOME"} {
		t.Setenv(key, "")
	}
	for _, key := range []string{"TMPDIR", "TMP", "TEMP"} {
		t.Setenv(key, nowhere)
	}
	got, remove := cacheDir()
	if remove(); got != "" {
		t.Errorf("the folder: got %q, want none", got)
	}
}
