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

// done is the last event of a stream.
const done = "[DONE]"

func newStream(w http.ResponseWriter) *stream {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	return &stream{w: w, conn: http.NewResponseController(w)}
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
func (p *reply) stream(w http.ResponseWriter, r *http.Request, a answer, fault Fault, withUsage bool) {
	out := newStream(w)
	counted := p.Usage
	p.Object, p.Usage = "chat.completion.chunk", nil
	empty := ""
	p.delta(out, &said{Role: "assistant", Content: &empty}, nil)
	pieces := cutPieces(a.text)
	for i, piece := range pieces {
		if i == len(pieces)/2 && out.ends(p, r, fault) {
			return
		}
		p.delta(out, &said{Content: &piece}, nil)
	}
	p.delta(out, &said{}, &a.reason)
	if withUsage {
		p.Choices, p.Usage = []choice{}, counted
		out.object(p)
	}
	out.event([]byte(done))
}

// ends ends a stream in its middle where the fault asks for that.
func (s *stream) ends(p *reply, r *http.Request, fault Fault) bool {
	switch fault.name {
	case faultCut, faultHangBody:
		breakOff(s.w, r, s.err, fault)
	case faultMalformed:
		s.event([]byte(`{"id":"` + p.ID + `","choices":[{"delta":`))
	case faultCutStream:
	default:
		return false
	}
	return true
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
