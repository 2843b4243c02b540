package rtf

// characters are the control words and symbols that stand for text.
var characters = map[string]string{
	"bullet": "•", "emdash": "—", "endash": "–", "emspace": " ", "enspace": " ", "qmspace": " ", "lquote": "‘", "rquote": "’", "ldblquote": "“",
	"rdblquote": "”", "tab": "\t", "line": "\n", "lbr": "\n", "zwj": "\u200d", "zwnj": "\u200c",
	"\\": "\\", "{": "{", "}": "}", "~": " ", "_": "-", "\t": "\t",
}

// terms are the control words of a part of a formula, and the sign that stands before it.
var terms = map[string]string{"mnum": "", "mden": "/", "msub": "_", "msup": "^"}

// A dest is where the text of a group goes.
type dest uint8

const (
	body   dest = iota
	drawn       // a drawing or an object: left out, but for what within it is text
	out         // left out, with all that is within it
	fonts       // the font table
	markup      // of a mail that was HTML: a piece of its source
	item        // the bullet or number of a list's item
	info        // what the document says of itself: only what within it has a name
)

// destinations are the control words that say where the text of their group goes. A group that begins with \* and a word that is not here is
// left out.
var destinations = func() map[string]dest {
	d := map[string]dest{
		"fonttbl": fonts, "htmltag": markup, "info": info,
		"object": drawn, "shp": drawn, "shpinst": drawn, "shpgrp": drawn, "do": drawn, "upr": drawn,
		"result": body, "ud": body, "fldrslt": body, "listtext": item, "pntext": item,
		"nesttableprops": body, "moMath": body, "moMathPara": body,
	}
	for _, name := range []string{
		"aftncn", "aftnsep", "aftnsepc", "atndate", "atnicn", "atnid", "atnparent", "atnref", "atntime", "atrfend", "atrfstart", "background", "bkmkend", "bkmkstart",
		"blipuid", "buptim", "bxe", "colortbl", "datafield", "falt", "filetbl", "fldinst", "fontemb", "footnotesep", "ftncn", "ftnsep", "ftnsepc", "generator",
		"levelnumbers", "leveltext", "listlevel", "listname", "listoverridetable", "listtable", "mhtmltag", "mmathPict", "nonesttables", "nonshppict",
		"objalias", "objclass", "objdata", "objname", "objsect", "panose", "pict", "pntxta", "pntxtb", "private", "revtbl", "rsidtbl",
		"rxe", "shppict", "shprslt", "sn", "sp", "stylesheet", "sv", "tc", "tcn", "template", "themedata", "txe", "xe", "xmlnstbl",
	} {
		d[name] = out
	}
	return d
}()

// asides are the control words of a group that is a text of its own, and the name under which it stands in the text around it: a text box
// has none.
var asides = map[string]string{
	"annotation": "comment", "footnote": "footnote", "shptxt": "", "dptxbxtext": "",
	"header": "header", "headerl": "header", "headerr": "header", "headerf": "header",
	"footer": "footer", "footerl": "footer", "footerr": "footer", "footerf": "footer",
}
