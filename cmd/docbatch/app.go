package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"docbatch/pipeline/guess"
)

// env is what a command knows of the world around it.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(key string) (string, bool) // an environment variable
	log            *logFile                        // what is said is kept there too; nil for nowhere
}

// execute runs one command line and returns its exit code. What a person must know of a failure is on stderr by then.
func execute(ctx context.Context, args []string, e env) int {
	root := newRoot(e)
	root.SetArgs(args)
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	err := root.ExecuteContext(ctx)
	code := exitCode(err)
	var told *toldError
	if err != nil && !errors.As(err, &told) {
		e.tellError(err)
	}
	return code
}

func newRoot(e env) *cobra.Command {
	root := &cobra.Command{
		Use:   "docbatch",
		Short: "Work through a dump of documents with an AI agent",
		Long: `docbatch sends every document of a folder, a CSV or an XLSX file to an AI agent with a prompt template, keeps to the
agent's limits, and stores every answer in one SQLite file. The same command again goes on where it stood, and asks
only about what is new.

Try it without a key or a network:   docbatch run --demo DOCUMENTS -o results.csv`,
		Version:       versionName(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.SetVersionTemplate("docbatch {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, err) })
	root.AddCommand(
		newRunCommand(e), newPlanCommand(e), newStatusCommand(e), newRunsCommand(e), newShowCommand(e), newRetryCommand(e), newExportCommand(e),
		newExtractCommand(e), newExtractWorkerCommand(e), newCheckCommand(e), newDoctorCommand(e), newAskCommand(e), newDemoAgentCommand(e), newInitCommand(e), newVersionCommand(e),
	)
	return root
}

// unknownCommand says which command may have been meant.
func unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return withExit(exitUsage, fmt.Errorf("there is no command %q%s", name, guess.DidYouMean(name, names)), "See: docbatch --help")
}

// usageError says what was wrong with the flags, with a guess at what was meant.
func usageError(cmd *cobra.Command, err error) error {
	hint := ""
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := guess.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			hint = "; did you mean --" + near + "?"
		}
	}
	return withExit(exitUsage, fmt.Errorf("%w%s", err, hint), fmt.Sprintf("See: %s --help", cmd.CommandPath()))
}

// usageArgs makes the errors of one of cobra's checks usage errors.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return withExit(exitUsage, err, fmt.Sprintf("See: %s --help", cmd.CommandPath()))
		}
		return nil
	}
}

// terminal reports whether w is a terminal, and its width.
func terminal(w io.Writer) (width int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil || width < 20 {
		width = 80
	}
	return width, true
}

// printable is s without control characters but newline and tab, so that no document, name or answer can move the cursor,
// change colours or forge a line; what can't be seen goes too: marks of direction, joiners, tags. Bytes that are not UTF-8 become
// U+FFFD.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, s)
}

// indented is printable s with every line but the first indented, so that none looks like one of ours.
func indented(s string) string { return strings.ReplaceAll(printable(s), "\n", "\n  ") }

// oneLine is printable s on one line, at most n runes long.
func oneLine(s string, n int) string {
	s = strings.Join(strings.Fields(printable(s)), " ")
	if r := []rune(s); len(r) > n && n > 1 {
		return string(r[:n-1]) + "…"
	}
	return s
}
