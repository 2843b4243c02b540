package jobs

import (
	"cmp"
	"container/heap"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"docbatch/pipeline"
)

// A sample chooses a few of all documents: those whose source and ID have the smallest hashes. So it is the same in every run, spread
// evenly, and a document that comes or goes changes one other at most. It is used by one goroutine while documents are listed,
// and by another after that.
type sample struct {
	most   int
	listed int
	chosen byHash // the largest hash first, while documents are listed; in item order after that
	sorted bool
}

type candidate struct {
	hash uint64
	num  int // in item order
	ref  pipeline.Ref
}

// add considers a document that was listed; one that can't be had would be no use.
func (s *sample) add(ref pipeline.Ref) {
	s.listed++
	if ref.Err != nil {
		return
	}
	c := candidate{hash: hashOf(ref), num: s.listed, ref: pipeline.Ref{Source: ref.Source, ID: ref.ID}}
	switch {
	case len(s.chosen) < s.most:
		heap.Push(&s.chosen, c)
	case c.hash < s.chosen[0].hash:
		s.chosen[0] = c
		heap.Fix(&s.chosen, 0)
	}
}

func hashOf(ref pipeline.Ref) uint64 {
	sum := sha256.Sum256([]byte(ref.Source + "\x00" + ref.ID))
	return binary.BigEndian.Uint64(sum[:])
}

// next gives the next n documents that were chosen, in item order; none at the end. No document is added any more.
func (s *sample) next(n int) []pipeline.Ref {
	if !s.sorted {
		slices.SortFunc(s.chosen, func(a, b candidate) int { return cmp.Compare(a.num, b.num) })
		s.sorted = true
	}
	n = min(n, len(s.chosen))
	refs := make([]pipeline.Ref, n)
	for i, c := range s.chosen[:n] {
		refs[i] = c.ref
	}
	s.chosen = s.chosen[n:]
	return refs
}

// byHash is a heap with the largest hash on top.
type byHash []candidate

func (h byHash) Len() int           { return len(h) }
func (h byHash) Less(i, j int) bool { return h[i].hash > h[j].hash }
func (h byHash) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *byHash) Push(c any)        { *h = append(*h, c.(candidate)) }
func (h *byHash) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}
