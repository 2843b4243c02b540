package prompt

import (
	"strings"
	"testing"

	"docbatch/pipeline"
)

func BenchmarkRender(b *testing.B) {
	file := &pipeline.Document{
		Ref:  pipeline.Ref{Source: "inbox", ID: "a/7.txt", Name: "7.txt"},
		Path: "inbox/a/7.txt",
		Text: strings.Repeat("Ten bytes.", 1000),
	}
	row := &pipeline.Document{Ref: pipeline.Ref{Source: "tickets", ID: "17", Row: 18}, Path: "tickets.csv", Text: "id: 17\n"}
	var columns []string
	for i := range 20 {
		name := "col_" + string(rune('a'+i))
		columns = append(columns, name)
		row.Fields = append(row.Fields, pipeline.Field{Name: name, Value: strings.Repeat("v", 50)})
	}
	for _, bb := range []struct {
		name, prompt string
		doc          *pipeline.Document
	}{
		{"default prompt, 10 KB", "", file},
		{"names and conditions, 10 KB", "File {{.Name}}, row {{.Row}}.\n{{if .Text}}{{.Text}}{{else}}nothing{{end}}\nAnswer.", file},
		{"5 of 20 columns", "{{.Fields.col_a}} {{.Fields.col_b}} {{.Fields.col_c}} {{.Fields.col_d}} {{field `col_e`}}", row},
	} {
		b.Run(bb.name, func(b *testing.B) {
			p, err := Parse(Options{Prompt: bb.prompt, Columns: columns})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(bb.doc.Text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Render(bb.doc); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
