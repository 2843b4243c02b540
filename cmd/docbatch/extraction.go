package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"docbatch/pipeline/extract"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/convert"
)

// extraction is how text is got out of documents.
type extraction struct {
	images     string
	languages  string
	article    bool
	timeout    time.Duration
	passwords  []string // secrets
	secrets    string   // the file that holds passwords; "" for none
	converters map[string]convert.Command
	keep       bool // answers to what an earlier version extracted stand
	version    int  // of what is extracted; an earlier one where that is kept
}

// extractFlags are those of extraction, as they were given.
type extractFlags struct {
	images    string
	languages string
	article   bool
	bound     time.Duration // on the time for one document
	keep      bool
}

// extractFile is the same in the job file.
type extractFile struct {
	Images        string              `yaml:"images"`
	Languages     string              `yaml:"languages"`
	Article       bool                `yaml:"article"`
	Timeout       duration            `yaml:"timeout"`
	Passwords     []string            `yaml:"passwords"`
	PasswordsFile string              `yaml:"passwords_file"`
	Converters    map[string][]string `yaml:"converters"`
	Keep          bool                `yaml:"keep"`
}

func (f *extractFlags) add(fs *pflag.FlagSet) {
	fs.StringVar(&f.images, "images", extract.ImagesOCR, "pictures and pages that are scans: ocr reads them with tesseract where it is installed, attach shows them to the agent, none leaves them")
	fs.StringVar(&f.languages, "ocr-languages", "", "the languages that OCR expects, as tesseract calls them, such as deu+fra (default: tesseract's)")
	fs.BoolVar(&f.article, "article", false, "of a web page only the article, without menus and the like")
	fs.DurationVar(&f.bound, "extract-timeout", extract.DefaultTime, "the longest time for reading one document")
}

// extraction resolves how documents are read.
func (s *settings) extraction(f *extractFlags, file *extractFile) (x extraction, err error) {
	x = extraction{
		images:    cmp.Or(pick(s, "images", f.images, file.Images), extract.ImagesOCR),
		languages: pick(s, "ocr-languages", f.languages, file.Languages),
		article:   pick(s, "article", f.article, file.Article),
		timeout:   cmp.Or(pick(s, "extract-timeout", f.bound, time.Duration(file.Timeout)), extract.DefaultTime),
		passwords: file.Passwords,
		keep:      pick(s, "keep-extracted", f.keep, file.Keep),
		version:   extractVersion,
	}
	if modes := []string{extract.ImagesOCR, extract.ImagesAttach, extract.ImagesNone}; !slices.Contains(modes, x.images) {
		return x, fmt.Errorf("--images is %q; it must be one of %s", x.images, strings.Join(modes, ", "))
	}
	if x.timeout < time.Second {
		return x, fmt.Errorf("--extract-timeout is %v; it must be a second or more", x.timeout)
	}
	if file.PasswordsFile != "" {
		more, err := readPasswords(s.inDir(file.PasswordsFile))
		if err != nil {
			return x, err
		}
		x.passwords, x.secrets = slices.Concat(x.passwords, more), s.inDir(file.PasswordsFile)
	}
	if len(x.passwords) > maxPasswords {
		return x, fmt.Errorf("there are %d passwords; at most %d are tried", len(x.passwords), maxPasswords)
	}
	x.converters, err = s.converters(file.Converters)
	return x, err
}

// check finds languages that tesseract would refuse for each picture anew. What it can't find out, the pictures say.
func (x *extraction) check(ctx context.Context) error {
	if x.images != extract.ImagesOCR || x.languages == "" || !convert.HasOCR() {
		return nil
	}
	known, err := extract.OCRLanguages(ctx)
	if err != nil || len(known) == 0 {
		return ctx.Err()
	}
	for language := range strings.SplitSeq(x.languages, "+") {
		if language = strings.TrimPrefix(language, "~"); language != "" && !slices.Contains(known, language) {
			return withExit(exitUsage, fmt.Errorf("--ocr-languages is %q, and tesseract has no data for %q; it has %s", x.languages, language, strings.Join(known, ", ")),
				"Install the data of that language (of Debian tesseract-ocr-deu, for German), or name another.")
		}
	}
	return nil
}

// maxPasswords bounds how many passwords are tried: each costs a good part of a second for some formats.
const maxPasswords = 100

// readPasswords reads a file of passwords, one a line.
func readPasswords(path string) (passwords []string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the passwords: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if line := strings.TrimRight(lines.Text(), "\r"); line != "" {
			passwords = append(passwords, line)
		}
		if len(passwords) > maxPasswords {
			return nil, fmt.Errorf("%s has more than %d passwords", path, maxPasswords)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the passwords: %w", err)
	}
	return passwords, nil
}

// converters makes the commands of the job file, by extension or media type.
func (s *settings) converters(file map[string][]string) (map[string]convert.Command, error) {
	commands := map[string]convert.Command{}
	for of, args := range file {
		if !strings.HasPrefix(of, ".") && !strings.Contains(of, "/") {
			return nil, fmt.Errorf("extract.converters: %q is neither an extension such as .doc nor a media type such as application/msword", of)
		}
		if len(args) > 0 && strings.ContainsRune(args[0], '/') {
			args = slices.Concat([]string{absolute(s.inDir(args[0]))}, args[1:])
		}
		c := convert.Command{Args: args}
		if err := c.Check(); err != nil {
			return nil, fmt.Errorf("extract.converters, %s: %w", of, err)
		}
		if _, err := exec.LookPath(args[0]); err != nil {
			return nil, fmt.Errorf("extract.converters, %s: %w", of, err)
		}
		commands[strings.ToLower(of)] = c
	}
	return commands, nil
}

// fingerprint is what of x changes what is extracted; "" where it is all as it is by default.
func (x *extraction) fingerprint() string {
	parts := []string{}
	if x.images != extract.ImagesOCR {
		parts = append(parts, "images="+x.images)
	}
	if x.languages != "" {
		parts = append(parts, "languages="+x.languages)
	}
	if x.article {
		parts = append(parts, "article")
	}
	for of, c := range x.converters {
		parts = append(parts, fmt.Sprintf("%s=%q", of, c.Args))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// An asked says how many documents were asked a question.
type asked interface {
	Asked(ctx context.Context, question string) (int, error)
}

// readBefore is how many documents have an outcome by what an earlier version extracted. Where the job keeps those, it goes on with that version's
// question.
func (j *job) readBefore(ctx context.Context, state asked, prompt string) (n int, err error) {
	for version := extractVersion - 1; version >= 1 && n == 0; version-- {
		if n, err = state.Asked(ctx, j.questionOf(prompt, version)); err != nil {
			return 0, err
		}
		if n > 0 && j.extraction.keep {
			j.extraction.version = version
		}
	}
	return n, nil
}

// step makes the extract step, and what ends its processes.
func (x *extraction) step() (step *extract.Step, end func()) {
	cache, removeCache := cacheDir()
	pool := extract.NewPool(extract.PoolOptions{
		Command:   []string{ownProgram(), workerCommand, cache},
		Size:      runtime.GOMAXPROCS(0),
		Time:      x.timeout,
		Passwords: x.passwords,
		Options:   content.Options{Article: x.article, Images: extract.WantsImages(x.images)},
	})
	end = func() {
		pool.Close()
		removeCache()
	}
	return extract.New(extract.Options{Pool: pool, Images: x.images, Languages: x.languages, Converters: x.converters}), end
}

// ownProgram is this program, also where the file that it was started from is another by now, as after an upgrade.
func ownProgram() string {
	const own = "/proc/self/exe"
	if _, err := os.Stat(own); err == nil && runtime.GOOS == "linux" {
		return own
	}
	if program, err := os.Executable(); err == nil {
		return program
	}
	return os.Args[0] // without /proc, as in a bare chroot
}

// cacheDir is where the processes that read documents keep what they compile: the user's folder for such, or, where nothing can be written
// there (a container, a service without a home), one that lasts until remove is called. It is "" where there is neither: then each of them
// compiles for itself.
func cacheDir() (dir string, remove func()) {
	user, err := os.UserCacheDir()
	if err == nil {
		dir = filepath.Join(user, "docbatch")
		if isWritable(dir) {
			return dir, func() {}
		}
	}
	dir, err = os.MkdirTemp("", "docbatch-cache-")
	if err != nil {
		return "", func() {}
	}
	return dir, func() { _ = os.RemoveAll(dir) } // what stays is in the folder for temporary files, which is the system's to clear
}

// isWritable reports whether files can be made in a folder, which is made where it is missing; nobody else may look into it.
func isWritable(dir string) bool {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false
	}
	f, err := os.CreateTemp(dir, "probe-")
	if err != nil {
		return false
	}
	return errors.Join(f.Close(), os.Remove(f.Name())) == nil && isOnlyOurs(dir)
}
