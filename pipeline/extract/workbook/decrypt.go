package workbook

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"

	"docbatch/pipeline/extract/content"

	"github.com/richardlehane/mscfb"
	"github.com/xuri/excelize/v2"
)

const (
	// defaultPassword is the one with which Excel protects a workbook against changes only, and opens it without asking.
	defaultPassword = "VelvetSweatshop"

	// maxEncrypted bounds an encrypted file: it is in memory three times over.
	maxEncrypted = 48 << 20

	// maxDirectory bounds what is read of a compound file to find its streams: an encrypted document has about ten.
	maxDirectory = 1 << 20

	// maxSpins bounds the rounds of hashing for one password, at 3 us each. Office makes 100,000.
	maxSpins = 200_000
)

// Decrypt opens an encrypted OOXML document, which is a compound file ([MS-CFB]) with the real one inside ([MS-OFFCRYPTO] 2.3.4), with the
// first of the passwords that fits, or with that of Excel for workbooks that are not secret. It gives the bytes of the ZIP file. Its errors
// are content.Encrypted where no password opens it, TooLarge, and Damaged.
func Decrypt(data []byte, passwords []string) ([]byte, error) {
	if len(data) > maxEncrypted {
		return nil, content.TooLarge("it is encrypted and larger than %s (the bound on encrypted documents)", content.Bytes(maxEncrypted))
	}
	if err := checkEncryption(data); err != nil {
		return nil, err
	}
	var last error
	for _, password := range append(slices.Clone(passwords), defaultPassword) {
		plain, err := open(data, password)
		if err == nil && bytes.HasPrefix(plain, []byte("PK\x03\x04")) {
			return plain, nil
		}
		last = err
	}
	if last != nil {
		return nil, content.Encrypted("it is encrypted in an unknown way, or damaged: %w", last)
	}
	return nil, content.Encrypted("it is protected by a password")
}

// open decrypts data; what comes out with a wrong password is noise. A panic of the library is an error.
func open(data []byte, password string) (plain []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return excelize.Decrypt(data, &excelize.Options{Password: password})
}

// checkEncryption looks at what a hostile file could make excelize do, in terms of memory, stack and time.
func checkEncryption(data []byte) error {
	in := &metered{in: bytes.NewReader(data), left: maxDirectory}
	doc, err := mscfb.New(in)
	if in.left < 0 {
		return content.TooLarge("its directory takes more than %s (the bound on the directory of a compound file)", content.Bytes(maxDirectory))
	}
	if err != nil {
		return content.Damaged("it is no compound file: %w", err)
	}
	for entry, err := doc.Next(); err == nil; entry, err = doc.Next() {
		if entry.Name != "EncryptionInfo" {
			continue
		}
		info, err := io.ReadAll(io.LimitReader(entry, 64<<10))
		if err != nil || len(info) < 8 {
			return content.Damaged("how it is encrypted cannot be read")
		}
		return checkSpins(info[8:])
	}
	return content.Damaged("it does not say how it is encrypted")
}

// checkSpins looks at the XML of agile encryption; other kinds have a fixed number of rounds.
func checkSpins(info []byte) error {
	var agile excelize.Encryption
	if err := xml.Unmarshal(info, &agile); err != nil {
		return nil
	}
	for _, e := range agile.KeyEncryptors.KeyEncryptor {
		if e.EncryptedKey.SpinCount > maxSpins {
			return content.TooLarge("its key takes %d rounds, more than %d (the bound on rounds)", e.EncryptedKey.SpinCount, maxSpins)
		}
	}
	return nil
}

// metered ends what reads more than is left.
type metered struct {
	in   io.ReaderAt
	left int
}

func (m *metered) ReadAt(b []byte, at int64) (int, error) {
	if m.left -= len(b); m.left < 0 {
		return 0, errors.New("too much")
	}
	return m.in.ReadAt(b, at)
}
