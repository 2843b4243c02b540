package openai

import (
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"docbatch/pipeline"
)

const chatPath = "/chat/completions"

// checkBase gives the base URL as it is used. Its errors never show what stands where a password or a key may be.
func checkBase(base string) (string, error) {
	if base == "" {
		return "", configError("the base URL is empty")
	}
	if strings.ContainsFunc(base, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return "", configError("the base URL has a space or a line break in it")
	}
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return "", configError("the base URL can't be read as one")
	case u.User != nil:
		return "", configError("the base URL for %s has a user or password in it", u.Hostname())
	case u.RawQuery != "" || u.ForceQuery || strings.Contains(base, "#"):
		return "", configError("the base URL %s has a query or fragment behind it", plainURL(u))
	case u.Scheme != "http" && u.Scheme != "https":
		return "", configError("the base URL %q does not begin with https:// or http://", base)
	case u.Hostname() == "":
		return "", configError("the base URL %q names no host", base)
	}
	base = strings.TrimRight(base, "/")
	if cut, found := strings.CutSuffix(base, chatPath); found {
		return "", configError("the base URL %s is that of a call; the base URL is %s", base, cut)
	}
	return base, nil
}

// plainURL is u without anything that may be secret.
func plainURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

func configError(format string, args ...any) error {
	return pipeline.Errorf(pipeline.Fatal, pipeline.KindConfig, format, args...)
}

// checkKey refuses a key that can't be sent in a header, without showing it.
func checkKey(key string) error {
	for _, r := range key {
		if r <= ' ' || r > '~' {
			return pipeline.Errorf(pipeline.Fatal, pipeline.KindKey, "the key has a space, a line break or another character in it that no key has")
		}
	}
	return nil
}

// Insecure reports whether a key sent to baseURL can be read on the way: http to a host that is not this machine.
func Insecure(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil || !strings.EqualFold(u.Scheme, "http") {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return err != nil || !addr.IsLoopback()
}
