package prompt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"text/template"
)

// A signature says how a function is called: with how many arguments, the piped one included, and by an example.
type signature struct {
	min, max int
	usage    string
}

const many = math.MaxInt

// signatures are the functions that a template may call. The others that text/template has are left out: call, html, js,
// print, println, urlquery have no use here, and slice cuts characters in two.
var signatures = map[string]signature{
	"field":    {1, 1, `{{field "Invoice No"}}`},
	"raw":      {1, 1, `{{raw .Text}}`},
	"trim":     {1, 1, `{{trim .Text}}`},
	"upper":    {1, 1, `{{upper .Name}}`},
	"lower":    {1, 1, `{{lower .Name}}`},
	"truncate": {2, 2, `{{truncate 2000 .Text}}`},
	"lines":    {2, 2, `{{lines 20 .Text}}`},
	"default":  {2, 2, `{{.Name | default "no name"}}`},
	"join":     {2, many, `{{join ", " .Source .Name}}`},
	"json":     {1, 1, `{{json .Name}}`},
	"printf":   {1, many, `{{printf "%05d" .Row}}`},
	"and":      {1, many, `{{if and .Name .Path}}`},
	"or":       {1, many, `{{or .Name .ID}}`},
	"not":      {1, 1, `{{if not .Name}}`},
	"eq":       {2, many, `{{if eq .Source "inbox"}}`},
	"ne":       {2, 2, `{{if ne .Source "inbox"}}`},
	"lt":       {2, 2, `{{if lt .Row 100}}`},
	"le":       {2, 2, `{{if le .Row 100}}`},
	"gt":       {2, 2, `{{if gt .Row 100}}`},
	"ge":       {2, 2, `{{if ge .Row 100}}`},
	"len":      {1, 1, `{{if gt (len .Text) 5000}}`},
	"index":    {2, 2, `{{index .Fields "Invoice No"}}`},
}

// printFunc is the function that compile puts at the end of every action; the check has refused it in a template of a user.
const printFunc = "_print"

// implementations are the functions as the templates of r call them. Whatever is made of the document's text is text again.
func implementations(r *renderer) template.FuncMap {
	return template.FuncMap{
		printFunc: r.print,
		"field":   r.field,
		"raw":     raw,
		"trim":    func(v any) (any, error) { return convert("trim", v, strings.TrimSpace) },
		"upper":   func(v any) (any, error) { return convert("upper", v, strings.ToUpper) },
		"lower":   func(v any) (any, error) { return convert("lower", v, strings.ToLower) },
		"truncate": func(n int, v any) (any, error) {
			return convert("truncate", v, func(s string) string { return truncate(s, n) })
		},
		"lines": func(n int, v any) (any, error) {
			return convert("lines", v, func(s string) string { return lines(s, n) })
		},
		"default": orElse,
		"join":    join,
		"json":    encode,
		"printf": func(format string, args ...any) any {
			return like(fmt.Sprintf(format, args...), args...)
		},
	}
}

// like gives s as text if one of the values that it was made of is.
func like(s string, from ...any) any {
	for _, v := range from {
		if _, ok := v.(text); ok {
			return text(s)
		}
	}
	return s
}

// stringOf is a value as it is printed.
func stringOf(function string, v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case text:
		return string(v), nil
	case int, float64, bool:
		return fmt.Sprint(v), nil
	default:
		return "", fmt.Errorf("%s takes one value, such as %s", function, signatures[function].usage)
	}
}

func convert(function string, v any, f func(string) string) (any, error) {
	s, err := stringOf(function, v)
	if err != nil {
		return nil, err
	}
	return like(f(s), v), nil
}

func raw(v any) (string, error) { return stringOf("raw", v) }

// truncate gives the first n characters of s, and marks the cut.
func truncate(s string, n int) string {
	for i := range s {
		if n <= 0 {
			return s[:i] + " […]"
		}
		n--
	}
	return s
}

// lines gives the first n lines of s, without the last line feed.
func lines(s string, n int) string {
	end := 0
	for range n {
		next := strings.IndexByte(s[end:], '\n')
		if next < 0 {
			return s
		}
		end += next + 1
	}
	return strings.TrimSuffix(s[:end], "\n")
}

func orElse(instead, v any) (any, error) {
	s, err := stringOf("default", v)
	if err != nil || !blank(s) {
		return v, err
	}
	return instead, nil
}

func join(separator string, values ...any) (any, error) {
	var parts []string
	for _, v := range values {
		s, err := stringOf("join", v)
		if err != nil {
			return nil, err
		}
		if !blank(s) {
			parts = append(parts, s)
		}
	}
	return like(strings.Join(parts, separator), values...), nil
}

func encode(v any) (any, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return like(strings.TrimSuffix(b.String(), "\n"), v), nil
}
