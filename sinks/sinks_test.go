package sinks_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"docbatch/sinks"
	"docbatch/sinks/sinkstest"
)

func TestOpenByExtension(t *testing.T) {
	for _, tt := range []struct{ name, begins string }{
		{"out.csv", "id,name,a,answer"},
		{"OUT.CSV", "id,name,a,answer"},
		{"out.jsonl", `{"id":"1",`},
		{"out.NDJSON", `{"id":"1",`},
		{"out.xlsx", "PK\x03\x04"},
		{"out.tar.Xlsx", "PK\x03\x04"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.name)
			if err := sinks.Check(path); err != nil {
				t.Fatal(err)
			}
			s, err := sinks.Open(path, []string{"a"})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Write(sinkstest.Record(1, nil, "x")); err != nil {
				t.Fatal(err)
			}
			if err := s.Commit(); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(path)
			if err != nil || !strings.HasPrefix(string(b), tt.begins) {
				t.Errorf("got %.40q, %v, want it to begin with %q", b, err, tt.begins)
			}
		})
	}
}

func TestUnknownExtension(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"out.txt", "out", "out.csv.gz", ".csvx", "out.xls"} {
		path := filepath.Join(dir, name)
		s, openErr := sinks.Open(path, nil)
		for _, err := range []error{openErr, sinks.Check(path)} {
			if s != nil || err == nil || !strings.HasSuffix(err.Error(), "use .csv, .jsonl, .ndjson or .xlsx") {
				t.Errorf("%s: got %v, %v, want an error that lists the formats", name, s, err)
			}
		}
	}
	s, err := sinks.Open(filepath.Join(dir, "none", "out.csv"), nil)
	if s != nil || err == nil {
		t.Errorf("no folder: got %v, %v, want a nil sink and an error", s, err)
	}
}

func TestStream(t *testing.T) {
	for _, tt := range []struct{ format, want string }{
		{sinks.CSV, "id,name,answer,state,class,error,warnings,model,prompt_tokens,completion_tokens,tokens,duration_ms,attempts,source\r\n" +
			"1,tickets.csv row 2,x,done,,,,demo-1,101,7,108,1234,2,tickets.csv\r\n"},
		{sinks.JSONL, `{"id":"1","name":"tickets.csv row 2","fields":{},"answer":"x","state":"done","class":"","error":"","warnings":"","model":"demo-1",` +
			`"prompt_tokens":101,"completion_tokens":7,"tokens":108,"duration_ms":1234,"attempts":2,"source":"tickets.csv"}` + "\n"},
	} {
		t.Run(tt.format, func(t *testing.T) {
			var buf bytes.Buffer
			s, err := sinks.Stream(tt.format, &buf, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Write(sinkstest.Record(1, nil, "x")); err != nil {
				t.Fatal(err)
			}
			if err := s.Commit(); err != nil {
				t.Fatal(err)
			}
			if err := s.Discard(); err != nil {
				t.Fatal(err)
			}
			if got := buf.String(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
	for _, format := range []string{sinks.XLSX, "xml", ""} {
		if s, err := sinks.Stream(format, &bytes.Buffer{}, nil); s != nil || err == nil {
			t.Errorf("format %q: got %v, %v, want an error", format, s, err)
		}
	}
}
