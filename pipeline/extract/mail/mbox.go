package mail

import "bytes"

// splitMBOX cuts a mailbox (RFC 4155) into its messages: at each line "From address date" that stands first or after an empty line. A
// sentence may begin like that too, so it must have a time in it. A file without such lines is one message.
func splitMBOX(data []byte) (messages [][]byte) {
	start, blank := 0, true
	for at := 0; at < len(data); {
		line, rest := cutLine(data[at:])
		if blank && isPostmark(line) && at > start {
			messages = append(messages, data[start:at])
			start = at
		}
		blank = len(line) == 0
		at = len(data) - len(rest)
	}
	return append(messages, data[start:])
}

// isPostmark recognises "From jo@example.org Thu Nov 23 10:00:00 2026".
func isPostmark(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("From "))
	if !ok || len(line) > maxPostmarkBytes {
		return false
	}
	for i := 2; i+2 < len(rest); i++ {
		if rest[i] == ':' && isDigit(rest[i-1]) && isDigit(rest[i-2]) && isDigit(rest[i+1]) && isDigit(rest[i+2]) {
			return true
		}
	}
	return false
}

const maxPostmarkBytes = 1000

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
