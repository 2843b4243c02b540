package mail

import "bytes"

// split cuts the body of a multipart at its delimiter lines, "--" and the boundary, into at most limit+1 parts; each without the line end
// before the delimiter. What lies before the first and after the last delimiter belongs to none. A part that no delimiter closes ends with
// the body. Parts after the closing delimiter count too: they come from multiparts within one another that share a boundary. A
// boundary that is missing or wrong is taken from the first line that looks like a delimiter.
func split(body []byte, boundary string, limit int) [][]byte {
	if parts := splitAt(body, boundary, limit); len(parts) > 0 {
		return parts
	}
	return splitAt(body, guessBoundary(body), limit)
}

func splitAt(body []byte, boundary string, limit int) (parts [][]byte) {
	if boundary = string(bytes.TrimRight([]byte(boundary), " \t")); boundary == "" {
		return nil
	}
	delimiter := []byte("--" + boundary)
	open := -1 // where the part begins
	for at := 0; len(parts) <= limit; {
		d, ok := nextDelimiter(body, delimiter, at)
		if open >= 0 {
			parts = append(parts, trimLineEnd(body[open:d.start]))
		}
		if !ok {
			break
		}
		open, at = d.end, d.end
		if d.closing {
			open = -1
		}
	}
	return parts
}

// A delimiter is a line that parts a body, with the line end after it.
type delimiter struct {
	start, end int
	closing    bool
}

// nextDelimiter finds the next delimiter line at or after at; where there is none it gives one that starts at the end of body.
func nextDelimiter(body, mark []byte, at int) (d delimiter, ok bool) {
	for {
		i := bytes.Index(body[at:], mark)
		if i < 0 {
			return delimiter{start: len(body), end: len(body)}, false
		}
		d.start = at + i
		at = d.start + len(mark)
		if d.start > 0 && body[d.start-1] != '\n' && body[d.start-1] != '\r' {
			continue
		}
		rest := body[at:]
		rest, d.closing = bytes.CutPrefix(rest, []byte("--"))
		rest = bytes.TrimLeft(rest, " \t")
		if len(rest) == 0 || rest[0] == '\r' || rest[0] == '\n' {
			_, rest = cutLine(rest)
			d.end = len(body) - len(rest)
			return d, true
		}
		at = len(body) - len(rest)
	}
}

func trimLineEnd(part []byte) []byte {
	part = bytes.TrimSuffix(part, []byte("\n"))
	return bytes.TrimSuffix(part, []byte("\r"))
}

// maxGuessBytes is how far into a body its boundary is looked for.
const maxGuessBytes = 64 << 10

// guessBoundary takes the first line that begins with two hyphens, with a header line after it, for a delimiter.
func guessBoundary(body []byte) string {
	for rest := body[:min(len(body), maxGuessBytes)]; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		if mark, ok := bytes.CutPrefix(line, []byte("--")); ok && len(mark) > 0 && bytes.HasPrefix(bytes.ToLower(rest[:min(len(rest), 8)]), []byte("content-")) {
			return string(bytes.TrimRight(mark, " \t"))
		}
	}
	return ""
}
