package main

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"docbatch/pipeline/extract"
	"docbatch/pipeline/extract/convert"
	"docbatch/pipeline/extract/mediatype"
)

// converted are the formats that programs of this machine make readable, as a person calls them, each by one of its media types.
var converted = []struct{ name, mediaType string }{
	{"DOC", mediatype.DOC},
	{"XLS", mediatype.XLS},
	{"PPT", mediatype.PPT},
	{"XLSB", mediatype.XLSB},
	{"WordPerfect, Publisher, Visio and the like", "application/vnd.wordperfect"},
	{"PostScript", mediatype.PostScript},
	{"DjVu", "image/vnd.djvu"},
}

// extraction looks at the programs that read what docbatch itself does not. That one is missing is no fault, unless the job names what it is
// for: most jobs need none.
func (d *doctor) extraction(ctx context.Context) {
	x := &d.job.extraction
	if err := x.check(ctx); err != nil {
		d.fail("extract", "", err)
		return
	}
	var read, missing clauses
	const pictures = "pictures and scans"
	hasOCR := convert.HasOCR()
	switch {
	case x.images == extract.ImagesAttach:
		read.add(pictures, "by an agent that sees")
	case x.images == extract.ImagesNone:
		missing.add(pictures, "(images: none)")
	case hasOCR:
		read.add(pictures, "by tesseract"+ocrLanguages(ctx))
	default:
		missing.add(pictures, "(install tesseract)")
	}
	for _, of := range slices.Sorted(maps.Keys(x.converters)) {
		read.add(of, "by "+filepath.Base(x.converters[of].Args[0])+", as the job file says")
	}
	for _, f := range converted {
		if c, why := convert.Found(f.mediaType, nil); why == "" {
			read.add(f.name, "by "+c.Args[0])
		} else {
			missing.add(f.name, "("+why+")")
		}
	}
	var words []string
	if len(read) > 0 {
		words = append(words, "read by other programs: "+read.String())
	}
	if len(missing) > 0 {
		words = append(words, "not read: "+missing.String())
	}
	found := strings.Join(words, "; ")
	if x.images == extract.ImagesOCR && x.languages != "" && !hasOCR {
		d.warn("extract", "Install tesseract with the data of these languages, or leave them out.", "OCR is to expect %s, and there is none; %s", x.languages, found)
		return
	}
	d.ok("extract", "%s", found)
}

// clauses say of names what is so of each; names of which the same is so stand together.
type clauses []clause

type clause struct{ names, so string }

func (c *clauses) add(name, so string) {
	for i := range *c {
		if (*c)[i].so == so {
			(*c)[i].names += ", " + name
			return
		}
	}
	*c = append(*c, clause{name, so})
}

func (c clauses) String() string {
	var all []string
	for _, one := range c {
		all = append(all, one.names+" "+one.so)
	}
	return strings.Join(all, "; ")
}

// ocrLanguages names those that tesseract knows: " (deu, eng)".
func ocrLanguages(ctx context.Context) string {
	known, err := extract.OCRLanguages(ctx)
	if err != nil || len(known) == 0 {
		return ""
	}
	return " (" + oneLine(strings.Join(known, ", "), lineWidth) + ")"
}
