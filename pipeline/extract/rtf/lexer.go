package rtf

// A lexer cuts RTF into tokens.
type lexer struct {
	data []byte
	at   int
}

// A kind is what a token is.
type kind int

const (
	end    kind = iota
	opens       // {
	closes      // }
	word        // \name or \name5
	symbol      // \ and what is no letter; its name is that
	char        // \'5c, a byte of text
	text        // bytes of text
	binary      // \bin5 and its bytes
)

// A token is one piece of RTF.
type token struct {
	kind  kind
	name  string // of a word or a symbol
	value int    // of a word; 0 where there is none
	given bool   // the word has a value
	text  []byte // of text and char
}

// maxWord is how long the name of a control word may be; longer ones are read as that of their beginning.
const maxWord = 32

// next reads the next token.
func (l *lexer) next() token {
	for l.at < len(l.data) {
		switch c := l.data[l.at]; c {
		case '{':
			l.at++
			return token{kind: opens}
		case '}':
			l.at++
			return token{kind: closes}
		case '\\':
			l.at++
			return l.control()
		case '\r', '\n', 0:
			l.at++
		default:
			return l.text()
		}
	}
	return token{kind: end}
}

// text reads text up to the next byte that is none.
func (l *lexer) text() token {
	from := l.at
	for l.at < len(l.data) && !isSpecial(l.data[l.at]) {
		l.at++
	}
	return token{kind: text, text: l.data[from:l.at]}
}

// control reads what follows a backslash.
func (l *lexer) control() token {
	if l.at == len(l.data) {
		return token{kind: end}
	}
	c := l.data[l.at]
	switch {
	case isLetter(c):
		return l.word()
	case c == '\'':
		l.at++
		return l.hex()
	}
	l.at++
	return token{kind: symbol, name: string(c)}
}

// hex reads the two digits of a byte. What is not two digits is left to be read as text.
func (l *lexer) hex() token {
	if l.at+2 > len(l.data) {
		l.at = len(l.data)
		return token{kind: end}
	}
	high, ok1 := digit(l.data[l.at])
	low, ok2 := digit(l.data[l.at+1])
	if !ok1 || !ok2 {
		return token{kind: symbol, name: "'"}
	}
	l.at += 2
	return token{kind: char, text: []byte{high<<4 | low}}
}

// word reads a control word with its value, and the space that ends it.
func (l *lexer) word() token {
	from := l.at
	for l.at < len(l.data) && isLetter(l.data[l.at]) {
		l.at++
	}
	t := token{kind: word, name: string(l.data[from:min(l.at, from+maxWord)])}
	t.value, t.given = l.number()
	if l.at < len(l.data) && l.data[l.at] == ' ' {
		l.at++
	}
	if t.name == "bin" {
		t.kind = binary
		l.at += min(max(t.value, 0), len(l.data)-l.at)
	}
	return t
}

// maxValue bounds the value of a control word.
const maxValue = 1 << 30

// number reads the value of a control word.
func (l *lexer) number() (value int, given bool) {
	sign := 1
	if l.at+1 < len(l.data) && l.data[l.at] == '-' && isDigit(l.data[l.at+1]) {
		sign = -1
		l.at++
	}
	for ; l.at < len(l.data) && isDigit(l.data[l.at]); l.at++ {
		value = min(10*value+int(l.data[l.at]-'0'), maxValue)
		given = true
	}
	return sign * value, given
}

// isSpecial reports whether a byte is none of text: a line end counts for nothing, and so does the NUL of some mails.
func isSpecial(c byte) bool {
	return c == '{' || c == '}' || c == '\\' || c == '\r' || c == '\n' || c == 0
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// digit is the value of a hexadecimal digit.
func digit(c byte) (value byte, ok bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
