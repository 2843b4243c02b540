package table

import (
	"context"
	"hash/maphash"
	"iter"
	"slices"

	"docbatch/pipeline"
)

// maxSuspects bounds how many repeated hashes CheckKeys looks at. They are hashes of 64 random bits: among 10,000,000
// different keys one clash is expected in 1 of 370,000 files, so more than a few are repeated keys.
const maxSuspects = 1000

// CheckKeys returns an error if two rows have the same ID; it names the key and both rows. It reads all rows, and once more if
// there is such a pair, and keeps 8 bytes a row. Without a key column it does nothing. Where the rows end with an error it is
// content with those before: List will end there too.
func (t *Table) CheckKeys(ctx context.Context, rows func() iter.Seq2[Row, error]) error {
	if t.key < 0 {
		return nil
	}
	seed := maphash.MakeSeed()
	var hashes []uint64
	for row, err := range rows() {
		if err != nil {
			break
		}
		id, _ := t.keyOf(row)
		hashes = append(hashes, maphash.Bytes(seed, id))
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	suspects := repeated(hashes)
	if len(suspects) == 0 {
		return nil
	}
	return t.compare(rows(), seed, suspects)
}

// repeated gives the values that occur more than once, at most maxSuspects. It sorts hashes.
func repeated(hashes []uint64) map[uint64]bool {
	slices.Sort(hashes)
	found := make(map[uint64]bool)
	for i := 1; i < len(hashes) && len(found) < maxSuspects; i++ {
		if hashes[i] == hashes[i-1] {
			found[hashes[i]] = true
		}
	}
	return found
}

// compare finds the first two rows with the same ID among those with a suspect hash.
func (t *Table) compare(rows iter.Seq2[Row, error], seed maphash.Seed, suspects map[uint64]bool) error {
	first := make(map[string]int)
	for row, err := range rows {
		if err != nil {
			break
		}
		id, _ := t.keyOf(row)
		if !suspects[maphash.Bytes(seed, id)] {
			continue
		}
		if before, ok := first[string(id)]; ok {
			return pipeline.Errorf(pipeline.Fatal, pipeline.KindRead, "%s: the key %q of column %q is in %s %d and again in %s %d",
				t.opts.File, id, t.columns[t.key], t.opts.Unit, before, t.opts.Unit, row.Number)
		}
		first[string(id)] = row.Number
	}
	return nil
}
