package main

import (
	"docbatch/pipeline/agent"
	"docbatch/pipeline/agent/demo"
	"docbatch/pipeline/agent/openai"
)

// connect makes the agent that the job names, or starts the built-in one. done ends what was started. observe, if not nil, is shown
// the head of each response.
func connect(e env, j *job, observe func(openai.Response)) (a agent.Agent, done func(), err error) {
	base, done := j.baseURL, func() {}
	if j.demo {
		url, stop, err := demo.New(demo.Options{}).Start("127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		base, done = url, func() { _ = stop() } // every answer has arrived by then
	} else if j.key != "" && openai.Insecure(base) {
		e.tell("warning: the key goes unencrypted over the network to %s; use https", base)
	}
	wire, err := openai.New(openai.Options{
		BaseURL:       base,
		Key:           j.key,
		Connections:   j.workers,
		CallTimeout:   j.timeout,
		HeaderTimeout: j.headerTimeout,
		IdleTimeout:   j.idleTimeout,
		Observe:       observe,
	})
	if err != nil {
		done()
		return nil, nil, withExit(exitCode(err), err, "Check the base URL (--base-url, or agent.base_url in the job file) and the key.")
	}
	return wire, done, nil
}
