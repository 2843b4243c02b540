package sources

import (
	"strings"

	"docbatch/sources/pathname"
)

// name gives every input without a name one that no other has. The names that inputs have already are taken first.
func name(inputs []*input) error {
	taken := map[string]bool{}
	var open []*input
	for _, in := range inputs {
		if in.Name == "" {
			open = append(open, in)
			continue
		}
		if taken[in.Name] {
			return fatal("input %s: another input is called %q too; give it another name", pathname.Display(in.Path), in.Name)
		}
		taken[in.Name] = true
	}
	for elements := 1; len(open) > 0; elements++ {
		open = nameBy(elements, open, taken)
	}
	return nil
}

// nameBy names inputs by the last elements of their paths, and returns those for which that is not enough.
func nameBy(elements int, inputs []*input, taken map[string]bool) []*input {
	count := map[string]int{}
	for _, in := range inputs {
		count[suffix(in.abs, elements)]++
	}
	var left []*input
	for _, in := range inputs {
		s := suffix(in.abs, elements)
		if whole := s == suffix(in.abs, elements+1); count[s] > 1 || taken[s] && !whole {
			left = append(left, in)
			continue
		}
		in.Name = s
	}
	for s := range count {
		taken[s] = true
	}
	return left
}

// suffix is the last n elements of an absolute path, with slashes and escaped; all of it where it has no more.
func suffix(abs string, n int) string {
	path := strings.TrimSuffix(pathname.Display(abs), "/")
	i := len(path)
	for range n {
		if i = strings.LastIndexByte(path[:i], '/'); i < 0 {
			break
		}
	}
	if s := path[i+1:]; s != "" {
		return s
	}
	return "/"
}
