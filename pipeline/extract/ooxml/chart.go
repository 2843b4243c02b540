package ooxml

import (
	"strconv"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A chart is what a c:chartSpace shows (DrawingML charts): from the values that are kept in it, not from the workbook they came from.
type chart struct {
	titles []string
	series []*series
	points int // read so far
}

// A series is a c:ser.
type series struct {
	name               string
	categories, values []string
}

// maxPoints bounds the values of one chart; they are held in memory.
const maxPoints = 50_000

// read reads what is in a c:chartSpace.
func (c *chart) read(x *pack.Decoder) error {
	return x.Children(func(n *pack.Node) error {
		switch n.Name {
		case "c:title":
			title, err := textOf(x)
			if title != "" {
				c.titles = append(c.titles, title)
			}
			return err
		case "c:ser":
			s := &series{}
			c.series = append(c.series, s)
			if len(c.series) > maxPoints/10 {
				return content.TooLarge("its chart holds more than %d series (the bound on series)", maxPoints/10)
			}
			return c.readSeries(x, s)
		}
		return c.read(x)
	})
}

func (c *chart) readSeries(x *pack.Decoder, s *series) error {
	return x.Children(func(n *pack.Node) error {
		var err error
		switch n.Name {
		case "c:tx":
			var names []string
			names, err = c.readPoints(x, nil)
			s.name = strings.Join(names, " ")
		case "c:cat", "c:xVal":
			s.categories, err = c.readPoints(x, nil)
		case "c:val", "c:yVal":
			s.values, err = c.readPoints(x, nil)
		}
		return err
	})
}

// readPoints appends the values (c:v) of a cache or of a literal to points, in their order; one that is left out is "".
func (c *chart) readPoints(x *pack.Decoder, points []string) ([]string, error) {
	err := x.Children(func(n *pack.Node) (err error) {
		switch n.Name {
		case "c:pt":
			for at := clamp(n.Attr("idx"), 0, maxPoints); len(points) < at && c.points < maxPoints; c.points++ {
				points = append(points, "")
			}
			points, err = c.readPoints(x, points)
		case "c:v":
			if c.points++; c.points > maxPoints {
				return content.TooLarge("its chart holds more than %d values (the bound on values)", maxPoints)
			}
			var text string
			text, err = x.Text()
			points = append(points, value(strings.TrimSpace(text)))
		case "c:f", "c:formatCode", "":
		default:
			points, err = c.readPoints(x, points)
		}
		return err
	})
	return points, err
}

// value writes a number as programs show it, with 15 digits: they keep 4.4 as 4.4000000000000004. Other text stays.
func value(text string) string {
	if f, err := strconv.ParseFloat(text, 64); err == nil && len(text) > 16 {
		return strconv.FormatFloat(f, 'g', 15, 64)
	}
	return text
}

// write writes the titles and a table: a column for the categories and one for each series.
func (c *chart) write(w *content.Writer) {
	if len(c.titles) > 0 {
		w.WriteString("[chart: " + strings.Join(c.titles, "; ") + "]\n")
	}
	if len(c.series) == 0 {
		return
	}
	head := []string{""}
	var rows [][]string
	categories := c.series[0].categories
	for i, s := range c.series {
		head = append(head, s.name)
		for len(rows) < max(len(s.values), len(categories)) && len(rows)*len(c.series) < maxPoints {
			rows = append(rows, make([]string, 1+len(c.series)))
		}
		for at, value := range s.values[:min(len(s.values), len(rows))] {
			rows[at][1+i] = value
		}
	}
	for at, category := range categories[:min(len(categories), len(rows))] {
		rows[at][0] = category
	}
	w.WriteTable(append([][]string{head}, rows...))
}

// textOf is the text of the element that was read last, its a:t alone, on one line.
func textOf(x *pack.Decoder) (string, error) {
	var b strings.Builder
	var visit func(n *pack.Node) error
	visit = func(n *pack.Node) error {
		switch n.Name {
		case "a:t", "c:v":
			text, err := x.Text()
			b.WriteString(text)
			return err
		case "a:p":
			b.WriteByte(' ')
		}
		return x.Children(visit)
	}
	err := x.Children(visit)
	return strings.Join(strings.Fields(b.String()), " "), err
}
