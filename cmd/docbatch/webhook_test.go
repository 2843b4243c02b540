package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// TestSign is the example of the specification's own libraries.
func TestSign(t *testing.T) {
	secret, err := webhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestWebhookSecret(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
		wrong      bool
	}{
		"base64":           {"whsec_c2VjcmV0", "secret", false},
		"any text":         {"correct horse", "correct horse", false},
		"none":             {"", "", false},
		"not base64":       {"whsec_canary!", "", true},
		"nothing after it": {"whsec_", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := webhookSecret(tt.text)
			if string(got) != tt.want || (err != nil) != tt.wrong {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the error tells the secret: %v", err)
			}
		})
	}
}

// TestWebhookIsSentAgain has the same ID in every try, so that it counts once, and the time and signature of each, so that it is not
// taken for a replay.
func TestWebhookIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ids, times []string
		client := &http.Client{Transport: transport(func(req *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(req.Body)
			if err != nil {
				t.Error(err)
			}
			ids, times = append(ids, req.Header.Get("webhook-id")), append(times, req.Header.Get("webhook-timestamp"))
			wantSigned(t, "secret", req.Header, body)
			return answered(503)
		})}
		if err := (webhook{url: "http://localhost/", secret: []byte("secret")}).ended(&ending{}).send(t.Context(), client); err == nil {
			t.Error("503 was taken for success")
		}
		if len(ids) != postTries || len(slices.Compact(ids)) != 1 || strings.Contains(ids[0], ".") {
			t.Errorf("IDs %q, want the same one %d times", ids, postTries)
		}
		if len(slices.Compact(times)) != postTries {
			t.Errorf("times %q, want that of each try", times)
		}
	})
}

// wantSigned checks a signature as a receiver does.
func wantSigned(t *testing.T, secret string, header http.Header, body []byte) {
	t.Helper()
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(header.Get("webhook-id") + "." + header.Get("webhook-timestamp") + "."))
	mac.Write(body)
	if got, want := header.Get("webhook-signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("signature %q, want %q", got, want)
	}
}
