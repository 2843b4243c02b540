package agent

import (
	"math"
	"time"

	"docbatch/pipeline"
)

// An experience is what a Meter knows of all answers of one agent: unlike what it estimates the next request by, it forgets little,
// because a forecast is for all kinds of documents that a job has.
type experience struct {
	Agent   string  `json:"agent"`
	Answers int     `json:"answers"`
	Prompt  fit     `json:"prompt"` // bytes of a request, and tokens of its prompt
	Reply   fit     `json:"reply"`  // bytes of a request, and tokens of its answer
	Least   int     `json:"least"`  // bytes of the shortest request, and of the longest
	Most    int     `json:"most"`
	Spread  float64 `json:"spread"` // variance of the tokens about what was expected
	Took    float64 `json:"took"`   // seconds, on average
}

const (
	// recalled is how many answers an experience is drawn from, about.
	recalled = 2000

	// usualRatio is what a byte costs as long as nothing is known: within a fifth for prose of most languages, too little for JSON and
	// tables (measured: bytes / 4 is 4 to 18 % over for English, 40 % under for JSON).
	usualRatio = 1 / 4.0

	// perMessage is what the roles and marks of a message cost, in tokens.
	perMessage = 4

	// fewAnswers are too few to draw a range from.
	fewAnswers = 5

	// drift is the share by which the next documents may differ from those before, whatever these were.
	drift = 0.03
)

// learn notes what a request cost.
func (e *experience) learn(req *Request, cost pipeline.Tokens, took time.Duration) {
	if req.Agent != e.Agent {
		*e = experience{Agent: req.Agent, Least: req.size()}
	}
	e.Least, e.Most = min(e.Least, req.size()), max(e.Most, req.size())
	off := float64(cost.Total()) - e.prompt(req) - e.reply(req)
	e.Answers++
	share := max(1.0/recalled, 1/float64(e.Answers))
	size := float64(req.size())
	e.Prompt.add(size, float64(cost.Prompt), share)
	e.Reply.add(size, float64(cost.Completion), share)
	e.Took += share * (took.Seconds() - e.Took)
	if e.Answers > fewAnswers { // the first ones were guesses
		e.Spread += max(1.0/recalled, 1/float64(e.Answers-fewAnswers)) * (off*off - e.Spread)
	}
}

func (e *experience) prompt(req *Request) float64 {
	if e.Answers == 0 {
		return usualRatio*float64(req.size()) + perMessage*float64(len(req.Messages))
	}
	return max(1, e.Prompt.Tokens+e.Prompt.slope(usualRatio)*(float64(req.size())-e.Prompt.Bytes))
}

func (e *experience) reply(req *Request) float64 {
	tokens := float64(firstReply)
	if e.Answers > 0 {
		tokens = max(1, e.Reply.Tokens+e.Reply.slope(0)*(float64(req.size())-e.Reply.Bytes))
	}
	if most := float64(req.Params.MaxTokens); most > 0 {
		tokens = min(tokens, most)
	}
	return tokens
}

// A Forecast is what requests are expected to cost together. The zero Forecast is that of none.
type Forecast struct {
	Requests   int
	Prompt     float64 // tokens
	Completion float64 // tokens
	Answers    int     // how many answers of the same agent it is drawn from; without any it is a guess
	Took       time.Duration

	spread  float64
	strange float64 // tokens of answers to requests that are shorter, or longer, than all that were answered
}

// Forecast adds what req is expected to cost to f. Estimate is for the next request, on the safe side; this is for the sum of many.
func (m *Meter) Forecast(f *Forecast, req *Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := &m.past
	if e.Agent != req.Agent {
		e = &experience{}
	}
	f.Requests++
	f.Prompt += e.prompt(req)
	reply := e.reply(req)
	f.Completion += reply
	if size := req.size(); size < e.Least || size > e.Most {
		f.strange += reply
	}
	f.Answers, f.spread = e.Answers, e.Spread
	f.Took = time.Duration(e.Took * float64(time.Second)) // of one answer, on average; 0 where it is not known
}

// Tokens is what is expected.
func (f *Forecast) Tokens() pipeline.Tokens {
	return pipeline.Tokens{Prompt: int(math.Round(f.Prompt)), Completion: int(math.Round(f.Completion))}
}

// Range is where the sum of all tokens will most likely lie (19 times out of 20, if the documents are like those before). How long the
// answers to documents are that are shorter or longer than all before is not known. Without enough answers to draw it from it is
// from half to double.
func (f *Forecast) Range() (low, high int) {
	sum := f.Prompt + f.Completion
	if f.Answers < fewAnswers {
		return int(sum / 2), int(math.Ceil(sum * 2))
	}
	n := float64(f.Requests)
	half := 2*math.Sqrt(f.spread*(n+n*n/float64(f.Answers))) + drift*sum + f.strange
	return int(max(0, sum-half)), int(math.Ceil(sum + half))
}
