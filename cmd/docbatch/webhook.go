package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"docbatch/jobs/sqlite"
)

// A webhook is told how a run ended, as JSON, signed as https://www.standardwebhooks.com has it.
type webhook struct {
	url    string
	secret []byte // nil where it is sent unsigned
}

// webhookSecret is the secret in bytes: what follows whsec_ is base64, anything else is taken as it is.
func webhookSecret(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	if !ok {
		return []byte(text), nil
	}
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(secret) == 0 { // its error tells of the secret
		return nil, errors.New("it begins with whsec_, and what follows is not base64")
	}
	return secret, nil
}

// ended is the message of one end: every try has its ID, and its own time and signature.
func (w webhook) ended(e *ending) *post {
	id, body := "msg_"+rand.Text(), e.json()
	return &post{url: w.url, body: body, head: func(h http.Header) {
		now := strconv.FormatInt(time.Now().Unix(), 10)
		h.Set("Content-Type", "application/json")
		h.Set("Webhook-Id", id)
		h.Set("Webhook-Timestamp", now)
		if len(w.secret) > 0 {
			h.Set("Webhook-Signature", "v1,"+sign(w.secret, id, now, body))
		}
	}}
}

// sign is the signature of a message.
func sign(secret []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Bounds of what a webhook is told of failures: a message is to stay small.
const (
	maxWebhookCauses  = 20
	maxWebhookMessage = 500 // runes
)

// json is the end of a run as a webhook has it: the event summary of --json, and more. Where no run began, there are no counts.
func (e *ending) json() []byte {
	fields := map[string]any{}
	if e.summary != nil {
		fields = asMap(*e.summary)
		fields["run"] = e.run
	}
	if e.err != nil && fields["error"] == nil {
		fields["error"], fields["next"] = oneLine(e.err.Error(), maxWebhookMessage), whatNext(e.err)
	}
	fields["job"], fields["exit"] = e.job, e.code
	fields["started"], fields["ended"] = e.started.UTC(), e.ended.UTC()
	causes := make([]sqlite.Failure, 0, len(e.causes))
	for _, c := range e.causes[:min(maxWebhookCauses, len(e.causes))] {
		c.Message = oneLine(c.Message, maxWebhookMessage)
		causes = append(causes, c)
	}
	fields["failures"] = causes
	var b bytes.Buffer
	writeJSON(&b, "summary", fields)
	return bytes.TrimSpace(b.Bytes())
}
