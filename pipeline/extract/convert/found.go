package convert

import (
	"os/exec"
	"strings"

	"docbatch/pipeline/extract/mediatype"
)

// A converter is a program that is known to convert a format, and the package of Debian that it is in.
type converter struct {
	args   string // split at spaces
	debian string
}

// office has LibreOffice convert to a format of today. A profile of its own keeps it from talking to one that the user has open.
func office(to string) converter {
	return converter{"soffice -env:UserInstallation=file://{tmp} --headless --norestore --convert-to " + to + " --outdir {outdir} {in}", "libreoffice"}
}

var (
	antiword = converter{"antiword -m UTF-8.txt -w 0 {in}", "antiword"}
	catdoc   = converter{"catdoc -d utf-8 -w {in}", "catdoc"}

	toDOCX = []converter{office("docx")}
	toXLSX = []converter{office("xlsx")}
	toPPTX = []converter{office("pptx")}
)

// known are the converters of each format, the best first. The next is tried where one can't read a document. LibreOffice takes a second or
// two for each, the others a hundredth of that; but of what LibreOffice finds in 18 workbooks xls2csv finds .80 of the words, and
// catppt .29 in 7 presentations. Of Word documents antiword finds the same, catdoc less; but it takes all text of Word 95 for Western.
var known = map[string][]converter{
	mediatype.DOC: {antiword, office("docx"), catdoc},
	word95:        {office("docx"), antiword, catdoc},

	mediatype.XLS:  {office("xlsx"), {"xls2csv -d utf-8 {in}", "catdoc"}},
	mediatype.PPT:  {office("pptx"), {"catppt -d utf-8 {in}", "catdoc"}},
	mediatype.XLSB: toXLSX,

	"application/vnd.sun.xml.writer":              toDOCX,
	"application/vnd.sun.xml.calc":                toXLSX,
	"application/vnd.sun.xml.impress":             toPPTX,
	"application/vnd.stardivision.writer":         toDOCX,
	"application/vnd.wordperfect":                 toDOCX,
	"application/vnd.ms-works":                    toDOCX,
	"application/x-hwp":                           toDOCX,
	"application/vnd.ms-publisher":                {office("pdf")},
	"application/vnd.visio":                       {office("pdf")},
	"application/vnd.oasis.opendocument.graphics": {office("pdf")},

	mediatype.PostScript: {{"ps2pdf {in} {out}.pdf", "ghostscript"}},
	"image/vnd.djvu":     {{"djvutxt {in}", "djvulibre-bin"}},
}

// word95 stands for documents of Word 6 and 95 among the formats that are known.
const word95 = mediatype.DOC + "; version=95"

// isWord95 reports whether a document is of Word 6 or 95, whose letters have one byte in a code page that depends on the font. The stream of its
// text begins so (FibBase of [MS-DOC] 2.5.2: wIdent 0xA5DC, nFib 101 to 105), and a stream begins with a sector.
func isWord95(data []byte) bool {
	const sector = 512
	for at := sector; at+4 <= len(data); at += sector {
		if data[at] == 0xdc && data[at+1] == 0xa5 && 101 <= data[at+2] && data[at+2] <= 105 && data[at+3] == 0 {
			return true
		}
	}
	return false
}

// Found is the command that is known to convert data of a media type, if a program for it is installed. Else missing says to a person what to
// do.
func Found(mediaType string, data []byte) (c Command, missing string) {
	if mediaType == mediatype.DOC && isWord95(data) {
		mediaType = word95
	}
	converters, ok := known[mediaType]
	if !ok {
		return Command{}, "convert it to text first"
	}
	var packages []string
	var first *Command
	end := &first
	for _, k := range converters {
		args := strings.Fields(k.args)
		if _, err := exec.LookPath(args[0]); err != nil {
			packages = append(packages, k.debian)
			continue
		}
		*end = &Command{Args: args}
		end = &(*end).or
	}
	if first == nil {
		return Command{}, "install " + strings.Join(packages, " or ")
	}
	return *first, ""
}
