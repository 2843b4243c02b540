package main

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// repository is the top of the repository, seen from this package.
const repository = "../.."

// TestCommandsInDocs parses every docbatch command line of the README, the pages under docs and the examples with the real commands:
// what is written there must exist.
func TestCommandsInDocs(t *testing.T) {
	found := 0
	for _, file := range docFiles(t) {
		for _, c := range commandsIn(file, read(t, file)) {
			found++
			if err := parses(c.args); err != nil {
				t.Errorf("%s:%d: docbatch %s: %v", file, c.line, strings.Join(c.args, " "), err)
			}
		}
	}
	if found < 40 {
		t.Errorf("%d command lines found in README.md and docs; the test looks at nothing", found)
	}
}

// TestCommandsInDocsFindMistakes shows what TestCommandsInDocs reads, and that it can fail.
func TestCommandsInDocsFindMistakes(t *testing.T) {
	const fence = "```"
	for name, c := range map[string]struct {
		file, text string
		want       []string // the command lines
		wrong      bool     // the last of them
	}{
		"a block":              {"a.md", fence + "sh\ncd x && docbatch run a -o b.csv  # c\n" + fence, []string{"run a -o b.csv"}, false},
		"a continued line":     {"a.md", fence + "\ndocbatch run a \\\n  --prompt 'x y'\n" + fence, []string{"run a --prompt x y"}, false},
		"a crontab":            {"a.md", fence + "\n0 2 * * *  TZ=UTC docbatch run -q\n" + fence, []string{"run -q"}, false},
		"code in a sentence":   {"a.md", "See `docbatch status` and `docbatch retry`, not docbatch alone.", []string{"status", "retry"}, false},
		"a container":          {"Dockerfile", "#   docker run --rm -v /a:/a docbatch:local run\n# docbatch is nice", []string{"run"}, false},
		"other programs":       {"a.md", fence + "\nsystemctl start docbatch\nmake docbatch\ncmd/docbatch/   the command line\n" + fence, nil, false},
		"an unknown flag":      {"a.md", "`docbatch run --rmp 3`", []string{"run --rmp 3"}, true},
		"an unknown command":   {"a.md", "`docbatch serve`", []string{"serve"}, true},
		"an argument too many": {"a.md", "`docbatch status here`", []string{"status here"}, true},
		"a value of no use":    {"a.md", "`docbatch run --sample few`", []string{"run --sample few"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			var err error
			for _, c := range commandsIn(c.file, c.text) {
				got, err = append(got, strings.Join(c.args, " ")), parses(c.args)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("commands: got %q, want %q", got, c.want)
			}
			if (err != nil) != c.wrong {
				t.Errorf("the last one: got error %v, want one: %v", err, c.wrong)
			}
		})
	}
}

// docFiles are the README and all that lies under docs.
func docFiles(t *testing.T) []string {
	t.Helper()
	files := []string{filepath.Join(repository, "README.md")}
	err := filepath.WalkDir(filepath.Join(repository, "docs"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

// A commandLine is the arguments of docbatch as they are written somewhere.
type commandLine struct {
	line int
	args []string
}

var (
	inlineCode = regexp.MustCompile("`(docbatch [^`]+)`")

	// codeInComment is how the examples show commands in their comments: indented.
	codeInComment = regexp.MustCompile(`^(?:#\s{3,}|\s{4})(\S.*)`)
)

// commandsIn finds the command lines of a text: in blocks and in code within sentences of a page, in comments of other files.
func commandsIn(file, text string) (found []commandLine) {
	page, inBlock, pending := strings.HasSuffix(file, ".md"), false, ""
	for i, line := range strings.Split(text, "\n") {
		if page && strings.HasPrefix(line, "```") {
			inBlock = !inBlock
			continue
		}
		if m := codeInComment.FindStringSubmatch(line); inBlock || !page && m != nil {
			if !inBlock {
				line = m[1]
			}
			if pending += line; strings.HasSuffix(pending, `\`) {
				pending = strings.TrimSuffix(pending, `\`)
				continue
			}
			for _, words := range splitShell(pending) {
				if args, ok := docbatchArgs(words); ok {
					found = append(found, commandLine{i + 1, args})
				}
			}
			pending = ""
			continue
		}
		for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
			found = append(found, commandLine{i + 1, splitShell(m[1])[0][1:]})
		}
	}
	return found
}

// splitShell splits a line of shell into its commands and these into words; redirections and what follows them are left out.
func splitShell(line string) (commands [][]string) {
	var words []string
	word, quote, inWord, cut := "", rune(0), false, false
	endWord := func() {
		if inWord && !cut {
			words = append(words, word)
		}
		word, inWord = "", false
	}
	endCommand := func() {
		if endWord(); len(words) > 0 {
			commands = append(commands, words)
		}
		words, cut = nil, false
	}
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word, escaped = word+string(r), false
		case r == '\\' && quote != '\'':
			inWord, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == '#' && !inWord:
			endCommand()
			return commands
		case strings.ContainsRune(";|&()", r):
			endCommand()
		case r == '<' || r == '>':
			endWord()
			cut = true
		case r == ' ' || r == '\t':
			endWord()
		default:
			word, inWord = word+string(r), true
		}
	}
	endCommand()
	return commands
}

// beforeCommand is what may stand before the name of a program: a variable, a field of a crontab.
var beforeCommand = regexp.MustCompile(`^(?:\w+=.*|[\d*,/-]+)$`)

// docbatchArgs are the arguments of docbatch, if that is the program that words start, or the image.
func docbatchArgs(words []string) ([]string, bool) {
	if len(words) > 2 && words[0] == "docker" && words[1] == "run" {
		i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "docbatch:") })
		return words[i+1:], i > 0
	}
	i := slices.IndexFunc(words, func(w string) bool { return !beforeCommand.MatchString(w) })
	if i < 0 || strings.HasSuffix(words[i], "/") || path.Base(words[i]) != "docbatch" {
		return nil, false
	}
	return words[i+1:], true
}

// parses checks a command line against the real commands, without doing anything.
func parses(args []string) error {
	root := newRoot(env{stdout: io.Discard, stderr: io.Discard, lookup: func(string) (string, bool) { return "", false }})
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd(args...)
	root.InitDefaultVersionFlag()
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return validArgs(root, cmd)
}

func validArgs(root, cmd *cobra.Command) error {
	if args := cmd.Flags().Args(); cmd != root {
		return cmd.ValidateArgs(args)
	} else if len(args) > 0 {
		return fmt.Errorf("there is no command %q", args[0])
	}
	return nil
}

// TestNightlyPage runs the page as it stands: all its blocks marked sh, in one shell, with the built-in agent.
func TestNightlyPage(t *testing.T) {
	if testing.Short() {
		t.Skip("twenty processes, each slow under the race detector")
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell to run the page with")
	}
	script := strings.Join(blocks(read(t, filepath.Join(repository, "docs", "nightly.md")), "sh"), "\n")
	// The sample, the rest, a new document, another question, the old one, order-2*, one gone, the same, moved.
	want := []string{"20", "20", "1", "41", "0", "11", "0", "0", "0"}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Log("sqlite3 is not here: the part on backups was left out")
		script, _, _ = strings.Cut(script, "sqlite3")
		want = want[:len(want)-1]
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "letters"), 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		text := fmt.Sprintf("Dear Sir, order %d is late. Please send it by Friday. Yours, N. Cole\n", i+1)
		if err := os.WriteFile(filepath.Join(dir, "letters", fmt.Sprintf("order-%d.txt", i+1)), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(shell, "-e", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "DOCBATCH_DEMO=true")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("docs/nightly.md: %v\n%s", err, out)
	}
	var got []string
	for _, m := range regexp.MustCompile(`this run: ([\d,]+) requests?,`).FindAllStringSubmatch(string(out), -1) {
		got = append(got, m[1])
	}
	if !slices.Equal(got, want) {
		t.Errorf("requests of the runs: got %v, want %v\n%s", got, want, out)
	}
}

// blocks are the fenced blocks of a page that are marked with a language.
func blocks(text, language string) (found []string) {
	for part := range strings.SplitSeq(text, "\n```"+language+"\n") {
		block, _, _ := strings.Cut(part, "\n```")
		found = append(found, block)
	}
	return found[1:]
}
