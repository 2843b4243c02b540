package mail

import "bytes"

// decodeTransfer undoes a Content-Transfer-Encoding (RFC 2045, section 6, and uuencode under the names in use). It takes whatever can
// be decoded of broken bytes. Encodings that it does not know are taken for none.
func decodeTransfer(encoding string, body []byte) []byte {
	switch firstWord(encoding) {
	case "base64":
		return decodeBase64(body)
	case "quoted-printable":
		return decodeQuoted(body)
	case "x-uuencode", "uuencode", "x-uue", "uue":
		if _, data, _, ok := cutUU(body); ok {
			return data
		}
	}
	return body
}

// base64Values are the values of the letters, those of the URL alphabet included; 0xff for what is none.
var base64Values = func() (values [256]byte) {
	for i := range values {
		values[i] = 0xff
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		values[c] = byte(i)
	}
	values['-'], values['_'] = 62, 63
	return values
}()

// decodeBase64 passes over what is no letter of base64, as RFC 2045 asks, and ends at the padding. A cut end gives the bytes that are whole.
func decodeBase64(body []byte) []byte {
	out := make([]byte, 0, len(body)/4*3+3)
	bits, n := uint32(0), 0
	for _, c := range body {
		v := base64Values[c]
		if v == 0xff {
			if c == '=' && n >= 2 {
				break
			}
			continue
		}
		bits = bits<<6 | uint32(v)
		if n++; n == 4 {
			out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
			bits, n = 0, 0
		}
	}
	switch n {
	case 2:
		out = append(out, byte(bits>>4))
	case 3:
		out = append(out, byte(bits>>10), byte(bits>>2))
	}
	return out
}

// decodeQuoted decodes quoted-printable. An escape that is none stays as it is, white space at the end of a line is dropped.
func decodeQuoted(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for len(body) > 0 {
		line, rest := cutLine(body)
		end := body[len(line) : len(body)-len(rest)]
		trimmed := bytes.TrimRight(line, " \t")
		switch soft, ok := bytes.CutSuffix(trimmed, []byte("=")); {
		case ok:
			line, end = soft, nil
		case len(end) > 0:
			line = trimmed
		}
		out = append(out, decodeHex(line, '=')...)
		out = append(out, end...)
		body = rest
	}
	return out
}

// decodeHex decodes escapes of two hexadecimal digits after mark.
func decodeHex(s []byte, mark byte) []byte {
	if bytes.IndexByte(s, mark) < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == mark && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]) {
			out = append(out, hexValue(s[i+1])<<4|hexValue(s[i+2]))
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return out
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// cutUU finds a file in the format of uuencode (POSIX) within a text: its name, its bytes and where it lies.
func cutUU(text []byte) (name string, data []byte, span [2]int, ok bool) {
	for at := 0; at < len(text); {
		line, rest := cutLine(text[at:])
		if name, ok := uuBegin(line); ok {
			if data, end, ok := decodeUU(rest); ok {
				return name, data, [2]int{at, len(text) - len(rest) + end}, true
			}
			return "", nil, span, false
		}
		at = len(text) - len(rest)
	}
	return "", nil, span, false
}

// uuBegin reads "begin 644 name".
func uuBegin(line []byte) (name string, ok bool) {
	line, ok = bytes.CutPrefix(line, []byte("begin "))
	mode, file, found := bytes.Cut(line, []byte(" "))
	if !ok || !found || len(mode) < 3 || len(mode) > 4 {
		return "", false
	}
	for _, c := range mode {
		if c < '0' || c > '7' {
			return "", false
		}
	}
	return string(bytes.TrimSpace(file)), true
}

// decodeUU decodes the lines up to "end". Anything else than such lines means that it is no file.
func decodeUU(text []byte) (data []byte, end int, ok bool) {
	for rest := text; len(rest) > 0; {
		var line []byte
		line, rest = cutLine(rest)
		line = bytes.TrimRight(line, " ")
		switch {
		case string(line) == "end":
			return data, len(text) - len(rest), true
		case len(line) == 0, string(line) == "`":
			continue
		}
		if bytes.ContainsFunc(line, notUU) {
			return nil, 0, false
		}
		data = appendUU(data, line[1:], int(line[0]-' ')&63)
	}
	return nil, 0, false
}

func notUU(c rune) bool { return c < ' ' || c > '`' }

func appendUU(data, line []byte, n int) []byte {
	for i := 0; n > 0; i, n = i+4, n-3 {
		var group [4]byte
		for j := range group {
			if i+j < len(line) {
				group[j] = (line[i+j] - ' ') & 63
			}
		}
		three := [3]byte{group[0]<<2 | group[1]>>4, group[1]<<4 | group[2]>>2, group[2]<<6 | group[3]}
		data = append(data, three[:min(n, 3)]...)
	}
	return data
}
