package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// mutate damages n files of the corpus, reads them, and prints those that docbatch does not read as it promises; these are kept.
func mutate(ctx context.Context, x extractor, samples []sample, n int, seed uint64, out io.Writer) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "docbatch-mutants-")
	if err != nil {
		return false, err
	}
	chance := rand.New(rand.NewPCG(seed, 0))
	counts, bad, most := map[string]int{}, 0, int64(0)
	for batch := range slices.Chunk(spread(samples, n), 50) {
		mutants, err := writeMutants(dir, batch, chance)
		if err != nil {
			return false, err
		}
		readings, _, err := x.extract(ctx, mutants)
		if err != nil {
			return false, err
		}
		for _, path := range mutants {
			r := readings[path]
			counts[r.Outcome]++
			most = max(most, r.Memory)
			faults := r.faults()
			if len(faults) == 0 {
				if err := os.Remove(path); err != nil {
					return false, err
				}
				continue
			}
			bad++
			fmt.Fprintf(out, "%s: %s\n", path, strings.Join(faults, "; "))
		}
	}
	fmt.Fprintf(out, "%d mutants (seed %d): %v, at most %d MB, %d fall short\n", n, seed, counts, most>>20, bad)
	if bad == 0 {
		err = os.RemoveAll(dir)
	}
	return bad == 0, err
}

// faults are the promises about any file that a reading does not keep.
func (r reading) faults() (faults []string) {
	if !slices.Contains(outcomes, r.Outcome) {
		faults = append(faults, fmt.Sprintf("the outcome %q is none: %s", r.Outcome, clip(r.Error, 300)))
	}
	if r.broke() {
		faults = append(faults, clip(r.Error, 300))
	}
	if r.Memory > maxMemory {
		faults = append(faults, fmt.Sprintf("it took %d MB, want at most %d", r.Memory>>20, maxMemory>>20))
	}
	if took := r.took(); took > maxTime {
		faults = append(faults, fmt.Sprintf("it took %v, want at most %v", took.Round(time.Second), maxTime))
	}
	return faults
}

func (r reading) took() time.Duration { return time.Duration(r.Millis * float64(time.Millisecond)) }

// broke reports whether the file broke its reader: docbatch survives that, but says that it was not meant to be.
func (r reading) broke() bool {
	return strings.Contains(r.Error, "please report it") || strings.Contains(r.Error, "ended the process that reads documents")
}

// spread are n of the samples, each format in its turn.
func spread(samples []sample, n int) []sample {
	var turns [][]sample
	for _, format := range formats {
		if some := choose(samples, []string{format}, everything); len(some) > 0 {
			turns = append(turns, some)
		}
	}
	var chosen []sample
	for i := range n {
		some := turns[i%len(turns)]
		chosen = append(chosen, some[i/len(turns)%len(some)])
	}
	return chosen
}

// writeMutants writes a mutant of each sample.
func writeMutants(dir string, samples []sample, chance *rand.Rand) (paths []string, err error) {
	for i, s := range samples {
		data, err := os.ReadFile(s.path)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, fmt.Sprintf("%02d-%08x-%s", i, chance.Uint32(), filepath.Base(s.path)))
		if err := os.WriteFile(path, mutant(data, chance), 0o600); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

// mutant is data with a damage of one of five kinds.
func mutant(data []byte, chance *rand.Rand) []byte {
	data = bytes.Clone(data)
	if len(data) == 0 {
		return data
	}
	a, b := chance.IntN(len(data)), chance.IntN(len(data))
	a, b = min(a, b), max(a, b)
	switch chance.IntN(5) {
	case 0: // cut off
		return data[:b]
	case 1: // a piece is gone
		return slices.Delete(data, a, min(b, a+1+chance.IntN(4096)))
	case 2: // a piece is there again
		return slices.Insert(data, b, data[a:min(b, a+4096)]...)
	case 3: // the files within are damaged, which bits of the packed form would hardly do
		if inner, err := mutantZip(data, chance); err == nil {
			return inner
		}
	}
	for range 1 + chance.IntN(max(1, min(200, len(data)/50))) {
		data[chance.IntN(len(data))] ^= 1 << chance.IntN(8)
	}
	return data
}

var errNoZip = errors.New("no ZIP of files")

// mutantZip is a ZIP in which one file in three is damaged.
func mutantZip(data []byte, chance *rand.Rand) ([]byte, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(r.File) == 0 {
		return nil, errNoZip
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range r.File {
		if f.UncompressedSize64 > 1<<20 || chance.IntN(3) > 0 {
			err = w.Copy(f)
		} else {
			err = copyDamaged(w, f, chance)
		}
		if err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
}

func copyDamaged(w *zip.Writer, f *zip.File, chance *rand.Rand) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return err
	}
	for range min(len(data), 1+chance.IntN(20)) {
		data[chance.IntN(len(data))] = byte(chance.UintN(256))
	}
	entry, err := w.Create(f.Name)
	if err != nil {
		return err
	}
	_, err = entry.Write(data)
	return err
}
