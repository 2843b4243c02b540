package content

import "strings"

// WriteTable writes rows as a Markdown table, the first of them as its head: what a model reads best. Rows may be of different
// lengths. A cell's line breaks become spaces and its bars are escaped. A table of one column is written as lines.
func (w *Writer) WriteTable(rows [][]string) {
	width := 0
	for _, row := range rows {
		for i, cell := range row {
			if strings.TrimSpace(cell) != "" {
				width = max(width, i+1)
			}
		}
	}
	if width == 0 {
		return
	}
	w.Break()
	for i, row := range rows {
		if width == 1 {
			if len(row) > 0 {
				w.WriteString(cellText(row[0], "|") + "\n")
			}
			continue
		}
		w.writeRow(row, width)
		if i == 0 {
			w.WriteString("|" + strings.Repeat(" --- |", width) + "\n")
		}
	}
	w.WriteString("\n")
}

func (w *Writer) writeRow(row []string, width int) {
	w.WriteString("|")
	for i := range width {
		cell := ""
		if i < len(row) {
			cell = cellText(row[i], `\|`)
		}
		w.WriteString(" " + cell)
		if cell != "" {
			w.WriteString(" ")
		}
		w.WriteString("|")
	}
	w.WriteString("\n")
}

func cellText(cell, bar string) string {
	cell = strings.Join(strings.Fields(cell), " ")
	return strings.ReplaceAll(cell, "|", bar)
}
