package workbook

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"docbatch/pipeline"

	"github.com/xuri/excelize/v2"
)

func TestDecrypt(t *testing.T) {
	noise := make([]byte, 8<<10) // which does not pack: a file under 4 KB excelize encrypts but does not decrypt
	for i := range noise {
		noise[i] = hash(noise[:i])[0]
	}
	plain := withSheets(`<row><c><v>1</v></c></row>`).with("noise", string(noise)).zipped(t)
	standard := func(password string) []byte {
		data, err := excelize.Encrypt(plain, &excelize.Options{Password: password})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	for name, tt := range map[string]struct {
		data      []byte
		passwords []string
	}{
		"standard":         {standard("sesame"), []string{"wrong", "sesame"}},
		"agile":            {agile(plain, "sesame", 1000), []string{"wrong", "sesame"}},
		"Excel's default":  {agile(plain, defaultPassword, 1000), nil},
		"not only letters": {agile(plain, "пароль €", 1000), []string{"пароль €"}},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := Decrypt(tt.data, tt.passwords)
			if err != nil {
				t.Fatal(err)
			}
			if c, err := read(data); err != nil || strings.TrimSpace(c.Text) != "## One\n\n1" {
				t.Errorf("got %v, %v, want the workbook", c, err)
			}
		})
	}
}

func TestDecryptErrors(t *testing.T) {
	plain := withSheets("").zipped(t)
	good := agile(plain, "sesame", 1000)
	for name, tt := range map[string]struct {
		data []byte
		kind string
		want string
	}{
		"wrong password":  {good, pipeline.KindEncrypted, "protected by a password"},
		"rounds":          {agile(plain, "sesame", maxSpins+1), pipeline.KindTooLarge, "the bound on rounds"},
		"no OLE":          {[]byte("nothing"), pipeline.KindDamaged, "no compound file"},
		"not encrypted":   {compound(map[string][]byte{"WordDocument": make([]byte, 4096)}), pipeline.KindDamaged, "does not say how"},
		"cut":             {good[:len(good)/2], pipeline.KindDamaged, ""},
		"nothing known":   {compound(map[string][]byte{"EncryptionInfo": make([]byte, 4096), "EncryptedPackage": make([]byte, 4096)}), pipeline.KindEncrypted, "unknown way"},
		"a deep catalog":  {compound(manyStreams(maxDirectory / 128)), pipeline.KindTooLarge, "the bound on the directory"},
		"an endless file": {make([]byte, maxEncrypted+1), pipeline.KindTooLarge, "the bound on encrypted documents"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Decrypt(tt.data, []string{"wrong"})
			if e, ok := errors.AsType[*pipeline.Error](err); !ok || e.Kind != tt.kind || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s: %s", err, tt.kind, tt.want)
			}
		})
	}
}

// TestDecryptFlipped changes one byte after another: no panic, and no error but of class invalid.
func TestDecryptFlipped(t *testing.T) {
	good := agile([]byte("PK\x03\x04"), "sesame", 10)
	for at := 0; at < len(good); at += 7 {
		data := slices.Clone(good)
		data[at] ^= 0xff
		if _, err := Decrypt(data, []string{"sesame"}); err != nil && pipeline.ClassOf(err) != pipeline.Invalid {
			t.Errorf("byte %d: got %v, want an error of class invalid", at, err)
		}
	}
}

func manyStreams(n int) map[string][]byte {
	streams := map[string][]byte{}
	for i := range n {
		streams[fmt.Sprint(i)] = nil
	}
	return streams
}

// agile encrypts as [MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15 says, with AES-256 and SHA-512; without what verifies the password.
func agile(plain []byte, password string, rounds int) []byte {
	salt, keySalt, secret := make([]byte, 16), bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, 32)
	blockKey := []byte{0x14, 0x6e, 0x0b, 0xe7, 0xab, 0xac, 0xd0, 0xd6}
	key := hash(keySalt, utf16Bytes(password))
	for i := range min(rounds, 1000) { // more are only said
		key = hash(binary.LittleEndian.AppendUint32(nil, uint32(i)), key)
	}
	key = hash(key, blockKey)[:32]
	body := binary.LittleEndian.AppendUint64(nil, uint64(len(plain)))
	for i := 0; i*4096 < len(plain); i++ {
		part := slices.Clone(plain[i*4096 : min(len(plain), (i+1)*4096)])
		part = append(part, make([]byte, -len(part)&15)...)
		body = append(body, encryptCBC(secret, hash(salt, binary.LittleEndian.AppendUint32(nil, uint32(i)))[:16], part)...)
	}
	for len(body) < 4096+8 {
		body = append(body, make([]byte, 16)...)
	}
	b64 := base64.StdEncoding.EncodeToString
	const how = `saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512"`
	info := fmt.Sprintf("\x04\x00\x04\x00\x40\x00\x00\x00"+`<encryption xmlns="http://schemas.microsoft.com/office/2006/encryption"><keyData %s saltValue="%s"/>
		<keyEncryptors><keyEncryptor uri="http://schemas.microsoft.com/office/2006/keyEncryptor/password">
		<p:encryptedKey xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password" spinCount="%d" %s saltValue="%s" encryptedKeyValue="%s"/>
		</keyEncryptor></keyEncryptors></encryption>`, how, b64(salt), rounds, how, b64(keySalt), b64(encryptCBC(key, keySalt, slices.Clone(secret))))
	info += strings.Repeat(" ", max(0, 4096-len(info)))
	return compound(map[string][]byte{"EncryptionInfo": []byte(info), "EncryptedPackage": body})
}

func hash(parts ...[]byte) []byte {
	sum := sha512.Sum512(bytes.Join(parts, nil))
	return sum[:]
}

func utf16Bytes(text string) (b []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, unit)
	}
	return b
}

func encryptCBC(key, vector, data []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	cipher.NewCBCEncrypter(block, vector).CryptBlocks(data, data)
	return data
}

// compound makes a compound file ([MS-CFB]) of streams of at least 4,096 bytes, or none.
func compound(streams map[string][]byte) []byte {
	const sector, end, none = 512, 0xFFFFFFFE, 0xFFFFFFFF
	le := binary.LittleEndian
	var body []byte
	var fat []uint32
	chain := func(data []byte) (start uint32) {
		start = uint32(len(fat))
		n := (len(data) + sector - 1) / sector
		for i := range n {
			next := start + uint32(i) + 1
			if i == n-1 {
				next = end
			}
			fat = append(fat, next)
		}
		body = append(append(body, data...), make([]byte, -len(data)&(sector-1))...)
		return start
	}
	entry := func(name string, kind byte, child, right, start uint32, size int) []byte {
		e := make([]byte, 128)
		copy(e, utf16Bytes(name))
		le.PutUint16(e[64:], uint16(2*len(name)+2))
		e[66] = kind
		le.PutUint32(e[68:], none)
		le.PutUint32(e[72:], right)
		le.PutUint32(e[76:], child)
		le.PutUint32(e[116:], start)
		le.PutUint32(e[120:], uint32(size))
		return e
	}
	directory := entry("Root Entry", 5, 1, none, end, 0)
	i := 0
	for name, data := range streams {
		right := uint32(none)
		if i++; i < len(streams) {
			right = uint32(i + 1)
		}
		start := uint32(end)
		if len(data) > 0 {
			start = chain(data)
		}
		directory = append(directory, entry(name, 2, none, right, start, len(data))...)
	}
	for len(directory)%sector != 0 {
		directory = append(directory, make([]byte, 128)...)
	}
	first := chain(directory)
	header := make([]byte, sector)
	copy(header, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	le.PutUint16(header[24:], 0x3e)
	le.PutUint16(header[26:], 3)
	le.PutUint16(header[28:], 0xfffe)
	le.PutUint16(header[30:], 9)
	le.PutUint16(header[32:], 6)
	le.PutUint32(header[48:], first)
	le.PutUint32(header[56:], 4096)
	le.PutUint32(header[60:], end)
	le.PutUint32(header[68:], end)
	fatSectors := (len(fat) + sector/4) / (sector/4 - 1)
	le.PutUint32(header[44:], uint32(fatSectors))
	for i := range 109 {
		at := uint32(none)
		if i < fatSectors {
			at = uint32(len(fat) + i)
		}
		le.PutUint32(header[76+4*i:], at)
	}
	for range fatSectors {
		fat = append(fat, 0xFFFFFFFD)
	}
	for len(fat)%(sector/4) != 0 {
		fat = append(fat, none)
	}
	for _, next := range fat {
		body = le.AppendUint32(body, next)
	}
	return append(header, body...)
}
