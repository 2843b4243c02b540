package openai

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"docbatch/pipeline"
)

// A rule gives a fault its class. It holds for a status in at (any from 400, where at is empty) if one of its codes or its
// words is in what the service says; one that has neither holds for its statuses as such.
type rule struct {
	at    []int
	codes []string       // as codeWord reduces them
	words *regexp.Regexp // in the sentence, in lower case
	not   *regexp.Regexp // words that rule it out
	class pipeline.Class
	kind  string
	say   string // what happened; {agent}, {base} and {url} are filled in
}

// rules in order: the first that holds decides. What a service says goes before the status with which it says it.
var rules = []rule{
	{
		codes: []string{"contentfilter", "contentpolicyviolation", "responsibleaipolicyviolation", "datainspectionfailed", "contentfiltered"},
		class: pipeline.Refused, kind: pipeline.KindFilter, say: "a content filter at {base} refused the document",
	},
	{
		at:    []int{400, 403, 422},
		words: regexp.MustCompile(`content[ _-]?(management )?(filter|policy)|(input|prompt) was flagged|safety system`),
		class: pipeline.Refused, kind: pipeline.KindFilter, say: "a content filter at {base} refused the document",
	},
	{
		codes: []string{"contextlengthexceeded", "exceedcontextsizeerror", "contextwindowexceedederror", "stringabovemaxlength", "requesttoolarge"},
		class: pipeline.Refused, kind: pipeline.KindTooLong, say: "the document is too long for the agent {agent}",
	},
	{
		at: []int{400, 413, 422, 500},
		words: regexp.MustCompile(`maximum context length|context (length|window|size).{0,60}exceed|exceed.{0,60}context (length|window|size)` +
			`|(prompt|input|request)( is)? too (long|large)|reduce the length|token count.{0,60}exceeds`),
		class: pipeline.Refused, kind: pipeline.KindTooLong, say: "the document is too long for the agent {agent}",
	},
	{ // one request over the tokens of a minute: waiting does not help
		at: []int{429}, words: regexp.MustCompile(`^request too large`),
		class: pipeline.Refused, kind: pipeline.KindTooLong, say: "the document is larger than the limit on tokens a minute at {base}",
	},
	{
		at:    []int{413},
		class: pipeline.Refused, kind: pipeline.KindTooLong, say: "the document is too large for {base}",
	},
	{
		codes: []string{"insufficientquota", "billinghardlimitreached", "billingnotactive", "insufficientbalance", "insufficientcredits"},
		class: pipeline.Fatal, kind: pipeline.KindQuota, say: "the quota at {base} is used up",
	},
	{
		at: []int{400, 403, 429}, not: pauseWords,
		words: regexp.MustCompile(`exceeded your current quota|quota (exceeded|exhausted|épuisé)|hard limit|out of credits?|billing` +
			`|(insufficient|not enough) (balance|credits?|funds|quota)|(credit|balance).{0,20}too low|crédits? (insuffisant|épuisé)`),
		class: pipeline.Fatal, kind: pipeline.KindQuota, say: "the quota at {base} is used up",
	},
	{
		at:    []int{402},
		class: pipeline.Fatal, kind: pipeline.KindQuota, say: "{base} asks for payment",
	},
	{ // a limit on how fast requests may become more comes as 503
		codes: []string{"slowdown", "ratelimitexceeded", "ratelimiterror", "toomanyrequests"},
		class: pipeline.Throttled, kind: pipeline.KindRate, say: "{base} asks for a pause",
	},
	{
		at: []int{503, 529}, words: regexp.MustCompile(`slow(ing)? ?down|(reduce|lower) (your|the) (request )?rate|too many requests|rate limit`),
		class: pipeline.Throttled, kind: pipeline.KindRate, say: "{base} asks for a pause",
	},
	{
		at:    []int{401},
		class: pipeline.Fatal, kind: pipeline.KindKey, say: "{base} refused the key",
	},
	{ // Google says 400
		at: []int{400, 403}, codes: []string{"invalidapikey", "apikeyinvalid", "authenticationerror"},
		words: regexp.MustCompile(`^(invalid|incorrect|missing|expired) api key|^api key (is )?(not valid|invalid|expired|missing|not found)`),
		class: pipeline.Fatal, kind: pipeline.KindKey, say: "{base} refused the key",
	},
	{
		codes: []string{"modelnotfound", "agentnotfound", "deploymentnotfound", "unknownmodel", "invalidmodel", "modelnotsupported"},
		class: pipeline.Fatal, kind: pipeline.KindAgent, say: "the agent {agent} does not exist at {base}",
	},
	{
		at: []int{400, 403, 404, 422}, words: noAgent,
		class: pipeline.Fatal, kind: pipeline.KindAgent, say: "the agent {agent} does not exist at {base}",
	},
	{ // a page comes from a firewall on the way, which may dislike one document; the API says it in JSON
		at: []int{403}, words: page,
		class: pipeline.Refused, kind: pipeline.KindRequest, say: "a firewall before {base} refused the request",
	},
	{
		at:    []int{403},
		class: pipeline.Fatal, kind: pipeline.KindKey, say: "{base} does not let this key ask the agent {agent}",
	},
	{
		at:    []int{404, 405, 410},
		class: pipeline.Fatal, kind: pipeline.KindConfig, say: "there is no chat service at {url} (a base URL mostly ends in /v1)",
	},
	{
		at:    []int{407},
		class: pipeline.Fatal, kind: pipeline.KindConfig, say: "the proxy on the way to {base} asks for a password",
	},
	{
		at: []int{400}, words: regexp.MustCompile(`http request (was sent )?to (an )?https (server|port)`),
		class: pipeline.Fatal, kind: pipeline.KindConfig, say: "{base} has to be asked with https://",
	},
	{
		at:    []int{429},
		class: pipeline.Throttled, kind: pipeline.KindRate, say: "{base} asks for a pause",
	},
	{
		at:    []int{408, 425},
		class: pipeline.Transient, kind: pipeline.KindServer, say: "{base} did not take the request",
	},
}

// noAgent finds "agent x not found" and its like, near the sentence's beginning: further on a service may echo the document.
// Between the noun and the verb only a name may stand, so that "agent error: file not found" is not meant.
var noAgent = func() *regexp.Regexp {
	const (
		noun = `\b(model|agent|assistant|deployment|modèle)s?\b`
		name = `[ :=,]*("[^"]{0,100}"|'[^']{0,100}'|` + "`[^`]{0,100}`" + `|«[^»]{0,100}»|[^ "'«]{1,100})?`
		fill = `([ :=,]*\b(with|the|this|id|name|slug|named|called|you|requested|specified|provided|is|was|could|be|est|or)\b)*`
		verb = `[ :,]*(does ?n[o'’]t exist|not exist|(not |n't )found|not (supported|available)|unknown|introuvable|n['’]existe pas|inexistant|inconnu)`
	)
	return regexp.MustCompile(`^.{0,80}?(` + noun + fill + name + fill + verb +
		`|\b(invalid|unknown|no such|unsupported|(could not|cannot|can't) find( the)?) (model|agent|assistant)\b` +
		`|\b(agent|modèle) invalide|\baucun (agent|modèle)|\bno (agent|model) (was )?found)`)
}()

// pauseWords say that waiting helps, whatever is said of quotas and billing beside.
var pauseWords = regexp.MustCompile(`(try again|retry) (in|after)|per[ _-]?min|/ ?min|rate limit`)

// codeStatus gives a status to an error that came with 200, by the words that services use for one.
var codeStatus = []struct {
	status int
	words  *regexp.Regexp
}{
	{429, regexp.MustCompile(`ratelimit|toomanyrequests|resourceexhausted|throttl|slowdown`)},
	{401, regexp.MustCompile(`apikey|authentication|unauthenticated|unauthorized`)},
	{403, regexp.MustCompile(`permission|forbidden`)},
	{404, regexp.MustCompile(`^notfound`)},
	{400, regexp.MustCompile(`invalidrequest|badrequest|invalidargument`)},
}

// classify makes an error of what the service said. body is what it was read from.
func (c *call) classify(f fault, body []byte) error {
	if c.status >= 300 && c.status <= 399 {
		return c.redirect()
	}
	status := f.effective(c.status)
	wait := retryAfter(c.header, time.Now())
	class, kind, say := judgeStatus(status, wait)
	words := strings.ToLower(tidy(f.sentence, sentenceBytes))
	if i := slices.IndexFunc(rules, func(r rule) bool { return r.holds(status, f.codes, words) }); i >= 0 {
		class, kind, say = rules[i].class, rules[i].kind, rules[i].say
	}
	said := c.agent.sentence(f.sentence)
	if said == "" {
		said = statusLine(c.status)
	}
	fill := strings.NewReplacer("{agent}", strconv.Quote(cut(c.req.Agent, 100)), "{base}", c.agent.base, "{url}", c.agent.base+chatPath)
	err := c.agent.errorf(class, kind, c.status, "%s: %s", fill.Replace(say), said)
	err.RetryAfter = wait
	if c.usage && (status == 400 || status == 422) && bytes.Contains(body, []byte("stream_options")) {
		return quirkError{err}
	}
	return err
}

// effective is the status that f is judged by: the one it came with, or for 200 the one that it means.
func (f *fault) effective(status int) int {
	if status > 299 {
		return status
	}
	if f.status != 0 {
		return f.status
	}
	for _, code := range f.codes {
		for _, one := range codeStatus {
			if one.words.MatchString(code) {
				return one.status
			}
		}
	}
	return http.StatusInternalServerError
}

// judgeStatus is the class of a status for which no rule holds.
func judgeStatus(status int, wait time.Duration) (pipeline.Class, string, string) {
	switch {
	case (status == 503 || status == 529) && wait > 0:
		return pipeline.Throttled, pipeline.KindServer, "{base} asks for a pause"
	case status >= 500:
		return pipeline.Transient, pipeline.KindServer, "{base} reports an error of its own"
	case status >= 400:
		return pipeline.Refused, pipeline.KindRequest, "{base} refused the request"
	}
	return pipeline.Transient, pipeline.KindResponse, "{base} answered with an unknown status"
}

// holds reports whether r is the rule for what a service said.
func (r *rule) holds(status int, codes []string, words string) bool {
	if len(r.at) > 0 && !slices.Contains(r.at, status) || status < 400 {
		return false
	}
	if r.not != nil && r.not.MatchString(words) {
		return false
	}
	if r.codes == nil && r.words == nil {
		return true
	}
	if slices.ContainsFunc(codes, func(code string) bool { return slices.Contains(r.codes, code) }) {
		return true
	}
	return r.words != nil && r.words.MatchString(words)
}

// redirect names the host that the service points to, and nothing else: a Location may hold a token.
func (c *call) redirect() error {
	target := "an unnamed place"
	if u, err := url.Parse(c.header.Get("Location")); err == nil && u.Host != "" {
		target = tidy(u.Hostname(), 200)
	} else if err == nil && u.Path != "" {
		target = "another path of the same host"
	}
	return c.agent.errorf(pipeline.Fatal, pipeline.KindConfig, c.status, "%s redirects to %s (%s): the base URL is not the service's own",
		c.agent.base, target, statusLine(c.status))
}

// nonsense is a body with status 200 that is no JSON, or was cut.
func (c *call) nonsense(body []byte) error {
	head := string(bytes.TrimSpace(body[:min(len(body), faultBytes)]))
	what := "is not JSON: " + c.agent.sentence(head)
	switch {
	case head == "":
		what = "is empty"
	case head[0] == '{' || head[0] == '[':
		what = "is cut or broken JSON"
	case looksPage(head):
		what = "is none: " + c.agent.sentence(head)
	}
	return c.agent.errorf(pipeline.Transient, pipeline.KindResponse, c.status, "the answer from %s %s", c.agent.base, what)
}
