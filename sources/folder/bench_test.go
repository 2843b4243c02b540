package folder

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// manyFiles makes a folder of n empty files, a thousand in each folder; DOCBATCH_BENCH_FILES says another n.
func manyFiles(b *testing.B) (root string, n int) {
	b.Helper()
	n = 20_000
	if s := os.Getenv("DOCBATCH_BENCH_FILES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	root = b.TempDir()
	for i := range n {
		dir := filepath.Join(root, fmt.Sprintf("folder%04d", i/1000))
		if i%1000 == 0 {
			if err := os.Mkdir(dir, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("document-%06d.txt", i)), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return root, n
}

func BenchmarkList(b *testing.B) {
	root, n := manyFiles(b)
	b.Run("walkdir", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			got := 0
			err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				got++
				_, err = d.Info()
				return err
			})
			if err != nil || got != n {
				b.Fatalf("%d files, %v, want %d", got, err, n)
			}
		}
	})
	for name, o := range map[string]Options{
		"list":     {Root: root},
		"patterns": {Root: root, Include: []string{"*.txt", "**/*.md"}, Exclude: []string{"*.pdf", "drafts/"}},
		"links":    {Root: root, FollowSymlinks: true},
	} {
		b.Run(name, func(b *testing.B) {
			s := open(b, o)
			b.ReportAllocs()
			for b.Loop() {
				got := 0
				for _, err := range s.List(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
					got++
				}
				if got != n {
					b.Fatalf("%d refs, want %d", got, n)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	root := b.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "a", "b"), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "a", "b", "c.txt"), make([]byte, 4096), 0o644); err != nil {
		b.Fatal(err)
	}
	s := open(b, Options{Root: root})
	ref := refs(b, s)[0]
	for b.Loop() {
		if _, err := s.Open(b.Context(), ref); err != nil {
			b.Fatal(err)
		}
	}
}
