package prompt

import (
	"fmt"
	"strings"
)

// suggest is the end of a message: what was most likely meant, if that is known, and what else helps.
func suggest(near, more string) string {
	if near == "" {
		return "; " + more
	}
	return fmt.Sprintf("; did you mean %s? (%s)", near, more)
}

// maxListed is how many names a message lists.
const maxListed = 25

// list names what there is.
func list(what string, names []string) string {
	shown := names
	if len(shown) > maxListed {
		shown = shown[:maxListed]
	}
	s := what + " are: " + strings.Join(shown, ", ")
	if len(names) > len(shown) {
		s += fmt.Sprintf(" and %d more", len(names)-len(shown))
	}
	return s
}
