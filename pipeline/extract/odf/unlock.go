package odf

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// maxRounds bounds the rounds of hashing for one key. LibreOffice makes 100,000.
const maxRounds = 1_000_000

// A lock says how a part is encrypted (OpenDocument 1.3 part 2, 4.8).
type lock struct {
	checksum, vector, salt         []byte
	cipher, derivation, start, sum string // algorithms
	rounds                         int
}

// A locked is a document of which parts are encrypted.
type locked struct {
	archive  *pack.Archive
	bounds   *content.Bounds
	locks    map[string]*lock // by part
	password string
}

// unlock gives the document's parts, decrypted where that is needed with the first of the passwords that fits.
func unlock(a *pack.Archive, f *content.File) (source, error) {
	l := &locked{archive: a, bounds: f.Bounds}
	if err := l.readManifest(); err != nil || len(l.locks) == 0 {
		return a, err
	}
	first := l.locks["content.xml"]
	if first == nil || !first.known() {
		return nil, content.Encrypted("it is encrypted in a way that is not known here: save it without a password")
	}
	if first.rounds > maxRounds {
		return nil, content.TooLarge("its key takes %d rounds, more than %d (the bound on rounds)", first.rounds, maxRounds)
	}
	packed, err := a.Read("content.xml")
	if err != nil {
		return nil, err
	}
	for _, password := range f.Passwords {
		if _, ok := first.open(packed, password); ok {
			l.password = password
			return l, nil
		}
	}
	return nil, content.Encrypted("it is protected by a password")
}

// readManifest finds out which parts are encrypted. A manifest that is damaged or missing says that none is.
func (l *locked) readManifest() error {
	d, err := l.archive.XML("META-INF/manifest.xml")
	if err != nil {
		return tolerate(err)
	}
	err = d.Children(func(root *pack.Node) error {
		if root.Name == "" {
			return nil
		}
		return d.Children(func(n *pack.Node) error {
			if n.Name != "manifest:file-entry" {
				return nil
			}
			return l.readEntry(d, n)
		})
	})
	return tolerate(err)
}

func (l *locked) readEntry(d *pack.Decoder, entry *pack.Node) error {
	return d.Children(func(n *pack.Node) error {
		if n.Name != "manifest:encryption-data" || len(l.locks) >= l.bounds.Parts {
			return nil
		}
		if l.locks == nil {
			l.locks = map[string]*lock{}
		}
		k := &lock{sum: n.Attr("manifest:checksum-type"), checksum: decode(n.Attr("manifest:checksum"))}
		l.locks[entry.Attr("manifest:full-path")] = k
		return d.Children(func(n *pack.Node) error {
			switch n.Name {
			case "manifest:algorithm":
				k.cipher, k.vector = n.Attr("manifest:algorithm-name"), decode(n.Attr("manifest:initialisation-vector"))
			case "manifest:key-derivation":
				k.derivation, k.salt = n.Attr("manifest:key-derivation-name"), decode(n.Attr("manifest:salt"))
				k.rounds = number(n.Attr("manifest:iteration-count"), 0)
			case "manifest:start-key-generation":
				k.start = n.Attr("manifest:start-key-generation-name")
			}
			return nil
		})
	})
}

// decode reads base64; of what is none it gives as much as is.
func decode(text string) []byte {
	b, _ := base64.StdEncoding.DecodeString(text)
	return b
}

// known reports whether the part is encrypted as OpenDocument 1.2 and 1.3 recommend: not with Blowfish, as before, and not as a whole,
// which LibreOffice 24.8 can do.
func (k *lock) known() bool {
	return strings.HasSuffix(k.cipher, "#aes256-cbc") && strings.HasSuffix(k.derivation, "PBKDF2") && strings.HasSuffix(k.start, "#sha256") &&
		strings.HasSuffix(k.sum, "#sha256-1k") && len(k.vector) == aes.BlockSize && k.rounds > 0
}

// open decrypts a part; not ok is the wrong password. What it gives is still deflated.
func (k *lock) open(packed []byte, password string) (deflated []byte, ok bool) {
	if len(packed) == 0 || len(packed)%aes.BlockSize != 0 {
		return nil, false
	}
	start := sha256.Sum256([]byte(password))
	key, err := pbkdf2.Key(sha1.New, string(start[:]), k.salt, k.rounds, 32)
	if err != nil {
		return nil, false
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, false
	}
	deflated = make([]byte, len(packed))
	cipher.NewCBCDecrypter(block, k.vector).CryptBlocks(deflated, packed)
	if pad := int(deflated[len(deflated)-1]); pad <= aes.BlockSize {
		deflated = deflated[:len(deflated)-pad]
	}
	sum := sha256.Sum256(deflated[:min(len(deflated), 1024)])
	return deflated, bytes.Equal(sum[:], k.checksum)
}

// XML implements source.
func (l *locked) XML(name string) (*pack.Decoder, error) {
	k := l.locks[name]
	if k == nil {
		return l.archive.XML(name)
	}
	packed, err := l.archive.Read(name)
	if err != nil {
		return nil, err
	}
	if !k.known() || k.rounds > maxRounds {
		return nil, content.Damaged("%s is encrypted in another way than the rest: %w", name, pack.ErrDamaged)
	}
	deflated, ok := k.open(packed, l.password)
	if !ok {
		return nil, content.Damaged("%s does not decrypt: %w", name, pack.ErrDamaged)
	}
	// What does not unpack breaks off, and so does the XML.
	plain, _ := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(deflated)), l.bounds.Part+1))
	if int64(len(plain)) > l.bounds.Part {
		return nil, content.TooLarge("its part %s is larger than %s (the bound on a part)", name, content.Bytes(l.bounds.Part))
	}
	return pack.NewDecoder(plain, l.bounds), nil
}
