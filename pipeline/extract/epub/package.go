package epub

import (
	"errors"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"

	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/pack"
)

// A packageFile is what the package document (OPF) says.
type packageFile struct {
	dir   string
	items map[string]item // by id
	spine []string        // ids
}

type item struct{ href, mediaType string }

// readPackage finds and reads the package document. One that is damaged or missing is as good as what can be read of it.
func readPackage(a *pack.Archive, bounds *content.Bounds, c *content.Content) (*packageFile, error) {
	p := &packageFile{items: map[string]item{}}
	name, err := findPackage(a)
	if err != nil || name == "" {
		return p, err
	}
	p.dir = path.Dir(name)
	meta := metadata{content: c}
	err = a.Walk(name, func(d *pack.Decoder, n *pack.Node) (bool, error) {
		switch _, local, _ := strings.Cut(n.Name, ":"); {
		case strings.HasPrefix(n.Name, "dc:"), n.Name == "opf:meta" && n.Attr("property") == "dcterms:modified":
			return true, meta.note(d, strings.ToLower(local))
		case local == "item":
			p.items[n.Attr("id")] = item{n.Attr("href"), n.Attr("media-type")}
		case local == "itemref":
			p.spine = append(p.spine, n.Attr("idref"))
		}
		if max(len(p.items), len(p.spine)) > bounds.Parts {
			return false, content.TooLarge("it lists more than %d parts (the bound on parts)", bounds.Parts)
		}
		return false, nil
	})
	meta.set()
	return p, tolerate(err)
}

// findPackage gives the name of the package document, as the container says it or else by its extension; "" where there is none.
func findPackage(a *pack.Archive) (string, error) {
	name := ""
	err := a.Walk("META-INF/container.xml", func(_ *pack.Decoder, n *pack.Node) (bool, error) {
		if _, local, _ := strings.Cut(n.Name, ":"); local == "rootfile" && name == "" {
			name = n.Attr("full-path")
		}
		return false, nil
	})
	if !a.Has(name) {
		name = ""
	}
	for _, candidate := range a.Names() {
		if name == "" && strings.EqualFold(path.Ext(candidate), ".opf") {
			name = candidate
		}
	}
	return name, tolerate(err)
}

// tolerate forgives that a part is damaged or not there.
func tolerate(err error) error {
	if errors.Is(err, pack.ErrDamaged) || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// chapters are the names of the parts that the spine lists and that are text, each once.
func (p *packageFile) chapters() []string {
	var names []string
	seen := map[string]bool{}
	for _, id := range p.spine {
		it, ok := p.items[id]
		if !ok || it.href == "" || strings.HasPrefix(it.mediaType, "image/") {
			continue
		}
		if name := p.resolve(it.href); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// resolve is the name of the part that a reference in the package document means.
func (p *packageFile) resolve(href string) string {
	href, _, _ = strings.Cut(href, "#")
	if plain, err := url.PathUnescape(href); err == nil {
		href = plain
	}
	return path.Join("/", p.dir, href)[1:]
}

// Metadata is what the book says of itself (Dublin Core).
type metadata struct {
	content *content.Content
	values  map[string][]string
}

// keys are the elements of Dublin Core that are kept.
var keys = map[string]string{
	"title": content.MetaTitle, "creator": content.MetaAuthor, "language": content.MetaLanguage, "subject": content.MetaSubject,
	"date": content.MetaCreated, "meta": content.MetaModified,
}

// note reads the value of the element that was given last.
func (m *metadata) note(d *pack.Decoder, name string) error {
	key := keys[name]
	if key == "" || len(m.values[key]) >= 20 {
		return nil
	}
	text, err := d.Text()
	if text = strings.TrimSpace(text); text != "" && !slices.Contains(m.values[key], text) {
		if m.values == nil {
			m.values = map[string][]string{}
		}
		m.values[key] = append(m.values[key], text[:min(len(text), 1000)])
	}
	return err
}

// set sets the metadata: the first title and date, all authors and subjects.
func (m *metadata) set() {
	for key, values := range m.values {
		if key == content.MetaTitle || key == content.MetaCreated || key == content.MetaModified {
			values = values[:1]
		}
		m.content.SetMeta(key, strings.Join(values, ", "))
	}
}

// checkLocks refuses a book of which a chapter is encrypted (https://www.w3.org/TR/epub-33/#sec-encryption.xml-container). That of fonts only makes
// them useless outside of the book.
func checkLocks(a *pack.Archive, chapters []string) error {
	isChapter := map[string]bool{}
	for _, name := range chapters {
		isChapter[name] = true
	}
	locked := false
	err := a.Walk("META-INF/encryption.xml", func(_ *pack.Decoder, n *pack.Node) (bool, error) {
		if n.Name == "enc:CipherReference" {
			root := packageFile{}
			locked = locked || isChapter[root.resolve(n.Attr("URI"))]
		}
		return false, nil
	})
	if locked {
		return content.Encrypted("its chapters are encrypted (DRM)")
	}
	return tolerate(err)
}
