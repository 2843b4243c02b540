package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"docbatch/pipeline/agent/demo"
	"docbatch/pipeline/agent/openai"
)

// What --demo asks: the built-in agent in this process. The port differs each time; the address that answers are stored
// under must not.
const (
	demoBase = "demo"
	demoSlug = "demo"
)

type demoOptions struct {
	listen  string
	keyEnv  string
	fail    string
	failFor string
	journal string
	demo.Options
}

func newDemoAgentCommand(e env) *cobra.Command {
	o := &demoOptions{Options: demo.Options{Window: demo.Sliding, Headers: demo.HeadersFull, RetryAfter: demo.RetryExact}}
	cmd := &cobra.Command{
		Use:   "demo-agent",
		Short: "Serve the built-in agent, to rehearse a job",
		Long: `Serve the built-in agent as an OpenAI-compatible API: chat completions, plain and streaming, and models. Its answers are an
extractive analysis of the document; it can have limits and faults on demand. The first line on stdout is the base URL.

A fault of --fail is NAME=SHARE or NAME=SHARE@FROM-TO, counted from the first request: 429=1@10s-20s. The names:
  500 (any status from 400), 503after (with Retry-After: 1), 502page (nginx's page of HTML), too_long
  reset, hang, hangbody, cut, cutstream: the connection, before and within an answer
  malformed, html, nothing, nochoices, null, error200: status 200, but no answer
  empty, truncate, filter: an answer that is not whole`,
		Example: `  docbatch demo-agent --listen 127.0.0.1:8080 --rpm 600 --fail 500=0.05,429=0.1
  docbatch run --base-url http://127.0.0.1:8080/v1 --agent demo letters/`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return serveDemo(cmd.Context(), e, o) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8080", "the address to listen at; port 0 takes a free one")
	fs.StringVar(&o.keyEnv, "key-env", "", "the variable that holds the only accepted key (default: any key will do)")
	fs.StringSliceVar(&o.Agents, "agents", nil, "the slugs that exist (default: any)")
	fs.DurationVar(&o.Latency, "latency", 0, "how long each answer takes")
	o.limitFlags(fs)
	fs.StringVar(&o.fail, "fail", "", "faults and their share, such as 500=0.05,hang=0.01,429=1@10s-20s")
	fs.StringVar(&o.failFor, "fail-for", "", "faults of the documents that hold a text, such as marker-7=400,marker-42=hang")
	fs.Uint64Var(&o.Seed, "seed", 1, "which requests fail")
	fs.StringVar(&o.DownFile, "down-file", "", "refuse connections while this file exists")
	fs.StringVar(&o.journal, "journal", "", "append a JSON line for each request to this file")
	return cmd
}

func (o *demoOptions) limitFlags(fs *pflag.FlagSet) {
	fs.IntVar(&o.RPM, "rpm", 0, "requests allowed in 60 s (default: no limit)")
	fs.Var(&o.Window, "window", "how --rpm counts: sliding (any 60 s), fixed (each minute since the start) or bucket (a second's worth at once)")
	fs.IntVar(&o.TPM, "tpm", 0, "tokens allowed in any 60 s, of prompts and answers (default: no limit)")
	fs.IntVar(&o.MaxInFlight, "max-in-flight", 0, "requests allowed at once (default: no limit)")
	fs.Var(&o.Headers, "headers", "how --rpm and --tpm are told: full or next (x-ratelimit-*, reset until all or until more is free), ietf or none")
	fs.Var(&o.RetryAfter, "retry-after", "how their 429 tells the time to wait: exact, date, ms, none or a number of seconds")
	fs.IntVar(&o.Quota, "quota", 0, "answers until the quota is used up (default: no end)")
	fs.IntVar(&o.RevokeAfter, "revoke-after", 0, "answers until the key is refused (default: never)")
	fs.IntVar(&o.Context, "context", 0, "tokens that a prompt may have (default: no limit)")
}

// check tells which option can't be.
func (o *demoOptions) check() error {
	for _, flag := range []struct {
		name  string
		value int64
	}{
		{"rpm", int64(o.RPM)},
		{"tpm", int64(o.TPM)},
		{"max-in-flight", int64(o.MaxInFlight)},
		{"quota", int64(o.Quota)},
		{"revoke-after", int64(o.RevokeAfter)},
		{"context", int64(o.Context)},
		{"latency", int64(o.Latency)},
	} {
		if flag.value < 0 {
			return fmt.Errorf("--%s can't be negative", flag.name)
		}
	}
	return nil
}

func serveDemo(ctx context.Context, e env, o *demoOptions) (err error) {
	if o.Faults, err = demo.ParseFaults(o.fail); err != nil {
		return withExit(exitUsage, err, "")
	}
	if o.FaultsFor, err = demo.ParseFaultsFor(o.failFor); err != nil {
		return withExit(exitUsage, err, "")
	}
	if err := o.check(); err != nil {
		return withExit(exitUsage, err, "")
	}
	if o.keyEnv != "" {
		key, ok := e.lookup(o.keyEnv)
		if !ok || key == "" {
			return withExit(exitUsage, fmt.Errorf("the variable %s is not set", o.keyEnv), "")
		}
		o.Key = key
	}
	if o.journal != "" {
		f, err := os.OpenFile(o.journal, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
		if err != nil {
			return withExit(exitUsage, err, "")
		}
		defer f.Close()
		o.Journal = f
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	// An address that others can reach was asked for by name.
	o.Public = true
	server := demo.New(o.Options)
	base, end, err := server.Start(o.listen)
	if err != nil {
		return withExit(exitUsage, err, "")
	}
	fmt.Fprintln(e.stdout, base)
	if openai.Insecure("http://" + o.listen) {
		fmt.Fprintln(e.stderr, "docbatch: warning: others on the network can reach this address")
	}
	started := time.Now()
	<-ctx.Done()
	err = end()
	stats := server.Stats()
	fmt.Fprintf(e.stderr, "docbatch: the demo agent answered %s in %v\n", plural(stats.Requests, "request"), time.Since(started).Round(time.Second))
	return err
}
