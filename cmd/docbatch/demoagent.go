package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

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
	journal string
	demo.Options
}

func newDemoAgentCommand(e env) *cobra.Command {
	o := &demoOptions{}
	cmd := &cobra.Command{
		Use:   "demo-agent",
		Short: "Serve the built-in agent, to rehearse a job",
		Long: `Serve the built-in agent as an OpenAI-compatible API: chat completions, plain and streaming, and models. Its answers are an
extractive analysis of the document; it can have a rate limit and faults on demand. The first line on stdout is the base URL.`,
		Example: `  docbatch demo-agent --listen 127.0.0.1:8080 --rpm 600 --fail 500=0.05,429=0.1
  docbatch run --base-url http://127.0.0.1:8080/v1 --agent demo letters/`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return serveDemo(cmd.Context(), e, o) },
	}
	fs := cmd.Flags()
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8080", "the address to listen at; port 0 takes a free one")
	fs.StringVar(&o.keyEnv, "key-env", "", "the variable that holds the only accepted key (default: any key will do)")
	fs.StringSliceVar(&o.Agents, "agents", nil, "the slugs that exist (default: any)")
	fs.IntVar(&o.RPM, "rpm", 0, "requests allowed in any 60 s (default: no limit)")
	fs.DurationVar(&o.Latency, "latency", 0, "how long each answer takes")
	fs.StringVar(&o.fail, "fail", "", "faults and their share, such as 500=0.05,429=0.1,reset=0.02,hang=0.01")
	fs.Uint64Var(&o.Seed, "seed", 1, "which requests fail")
	fs.StringVar(&o.journal, "journal", "", "append a JSON line for each request to this file")
	return cmd
}

func serveDemo(ctx context.Context, e env, o *demoOptions) (err error) {
	if o.Faults, err = demo.ParseFaults(o.fail); err != nil {
		return withExit(exitUsage, err, "")
	}
	if o.RPM < 0 || o.Latency < 0 {
		return withExit(exitUsage, errors.New("--rpm and --latency can't be negative"), "")
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
