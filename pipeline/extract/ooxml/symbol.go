package ooxml

import (
	"strconv"
	"strings"
)

// The characters of the font Symbol from 0x20 and from 0xA0 on, as Unicode has them (Adobe's symbol.txt, in the Unicode mappings).
var (
	symbolsLow  = []rune(` !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼`)
	symbolsHigh = []rune(`€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪ 〉∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭`)
)

// wingdings are those characters of the fonts Wingdings that say something in a text: boxes, ticks, arrows.
var wingdings = map[string]map[rune]string{
	"wingdings": {0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6E: "■", 0x6F: "□", 0x71: "❑", 0x72: "❒", 0x75: "◆", 0x76: "❖", 0x9F: "•",
		0xA7: "▪", 0xA8: "☐", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑"},
	"wingdings 2": {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0xA3: "☐"},
}

// symbol is the character of a w:sym: its font and its code in hexadecimal. It is "" where the font's characters are not known.
func symbol(font, code string) string {
	n, err := strconv.ParseUint(code, 16, 16)
	if err != nil {
		return ""
	}
	return inFont(rune(n), font)
}

// inFont gives a character of a font whose characters are pictures. Those fonts are mapped to the private characters from U+F000 on.
func inFont(r rune, font string) string {
	private := 0xF020 <= r && r <= 0xF0FF
	if private {
		r -= 0xF000
	}
	font = strings.ToLower(strings.TrimSpace(font))
	switch {
	case strings.HasPrefix(font, "wingdings"), strings.HasPrefix(font, "webdings"):
		return wingdings[font][r]
	case font != "symbol" && !private:
		return string(r)
	case 0x20 <= r && int(r-0x20) < len(symbolsLow):
		return string(symbolsLow[r-0x20])
	case 0xA0 <= r && int(r-0xA0) < len(symbolsHigh):
		return string(symbolsHigh[r-0xA0])
	}
	return ""
}

// private replaces the private characters of fonts of pictures in a text.
func private(text, font string) string {
	if !strings.ContainsFunc(text, isPrivate) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isPrivate(r) {
			b.WriteString(inFont(r, font))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isPrivate(r rune) bool { return 0xF020 <= r && r <= 0xF0FF }
