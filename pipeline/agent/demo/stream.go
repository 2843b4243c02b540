package demo

import (
	"encoding/json"
	"net/http"
	"strings"
)

// pieceBytes is about how much text comes in one event.
const pieceBytes = 24

// A stream writes server-sent events, each at once; after an error it writes nothing more: the client is gone.
type stream struct {
	w    http.ResponseWriter
	conn *http.ResponseController
	err  error
}

func (s *stream) event(data []byte) {
	if s.err != nil {
		return
	}
	line := make([]byte, 0, len(data)+8)
	line = append(line, "data: "...)
	line = append(line, data...)
	line = append(line, "\n\n"...)
	if _, s.err = s.w.Write(line); s.err == nil {
		s.err = s.conn.Flush()
	}
}

func (s *stream) object(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers
	}
	s.event(data)
}

// stream sends an answer in pieces: the role, the text, the reason of the end, the usage where asked for, [DONE].
func (p *reply) stream(w http.ResponseWriter, a answer, fault Fault, withUsage bool) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	out := &stream{w: w, conn: http.NewResponseController(w)}
	counted := p.Usage
	p.Object, p.Usage = "chat.completion.chunk", nil
	empty := ""
	p.delta(out, &said{Role: "assistant", Content: &empty}, nil)
	pieces := cutPieces(a.text)
	for i, piece := range pieces {
		if fault.name == faultCut && i >= len(pieces)/2 {
			abort(w, out.err)
			return
		}
		if fault.name == faultMalformed && i >= len(pieces)/2 {
			out.event([]byte(`{"id":"` + p.ID + `","choices":[{"delta":`))
			return
		}
		p.delta(out, &said{Content: &piece}, nil)
	}
	p.delta(out, &said{}, &a.reason)
	if withUsage {
		p.Choices, p.Usage = []choice{}, counted
		out.object(p)
	}
	out.event([]byte("[DONE]"))
}

func (p *reply) delta(out *stream, d *said, reason *string) {
	p.Choices = []choice{{Delta: d, Reason: reason}}
	out.object(p)
}

// cutPieces cuts text behind blanks, so that no character is torn.
func cutPieces(text string) []string {
	var pieces []string
	for len(text) > pieceBytes {
		i := strings.IndexAny(text[pieceBytes:], " \n")
		if i < 0 {
			break
		}
		i += pieceBytes + 1
		pieces = append(pieces, text[:i])
		text = text[i:]
	}
	if text != "" {
		pieces = append(pieces, text)
	}
	return pieces
}
