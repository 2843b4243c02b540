package mediatype

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

const oleMagic = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

// stored are the formats that lie in OLE storages, by the name of an entry at the top of it; the more telling before the others.
var stored = []struct{ entry, mediaType string }{
	{"__properties_version1.0", MSG},
	{"EncryptedPackage", Encrypted},
	{"WordDocument", DOC},
	{"PowerPoint Document", PPT},
	{"PP40", PPT},
	{"PP97_DUALSTORAGE", PPT},
	{"Workbook", XLS},
	{"Book", XLS},
	{"VisioDocument", "application/vnd.visio"},
	{"Quill", "application/vnd.ms-publisher"},
	{"HwpSummaryInformation", "application/x-hwp"},
	{"StarWriterDocument", "application/vnd.stardivision.writer"},
	{"StarCalcDocument", "application/vnd.stardivision.calc"},
	{"StarDrawDocument3", "application/vnd.stardivision.draw"},
	{"MatOST", "application/vnd.ms-works"},
	{"PerfectOffice_MAIN", "application/vnd.wordperfect"},
	{"PerfectOffice_OBJECTS", "application/vnd.wordperfect"},
	{"NativeContent_MAIN", "application/vnd.ms-excel.quattro-pro"},
}

// oleType tells apart the formats that lie in OLE storages by the names at the top of the storage; what lies deeper is of the documents
// within. Where the directory can't be followed, a name anywhere will do, and then the extension.
func oleType(ext string, data []byte) string {
	top := oleNames(data)
	for _, s := range stored {
		for _, name := range top {
			if strings.EqualFold(strings.TrimLeft(name, "\x05"), s.entry) {
				return s.mediaType
			}
		}
	}
	if len(top) > 0 {
		return OLE
	}
	for _, s := range stored {
		if bytes.Contains(data, utf16Bytes(s.entry+"\x00")) {
			return s.mediaType
		}
	}
	return claimed(ext, OLE)
}

func utf16Bytes(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

// A storage follows the sectors of a compound file, as MS-CFB lays them out.
type storage struct {
	data   []byte
	sector int      // bytes of one
	fat    []uint32 // the sectors that hold the table of which sector follows which
}

const (
	oleHeader = 512
	oleEntry  = 128        // bytes of an entry of the directory
	maxSector = 0xfffffffa // larger numbers mean other things: the end of a chain, a free sector
)

// oleNames lists the names at the top of a storage: none where it is damaged.
func oleNames(data []byte) []string {
	s, ok := openStorage(data)
	if !ok {
		return nil
	}
	directory := s.chain(binary.LittleEndian.Uint32(data[48:]), 1<<22)
	if len(directory) < oleEntry {
		return nil
	}
	return siblings(directory, binary.LittleEndian.Uint32(directory[76:]))
}

func openStorage(data []byte) (*storage, bool) {
	if len(data) < oleHeader {
		return nil, false
	}
	shift := binary.LittleEndian.Uint16(data[30:])
	if shift != 9 && shift != 12 {
		return nil, false
	}
	s := &storage{data: data, sector: 1 << shift}
	s.addFAT(data[76:oleHeader])
	perSector := s.sector / 4
	more := len(data)/s.sector/perSector/perSector + 1 // sectors of the table's own list: no file needs more
	for at := binary.LittleEndian.Uint32(data[68:]); more > 0; more-- {
		b := s.at(at)
		if len(b) < s.sector {
			break
		}
		s.addFAT(b[:s.sector-4])
		at = binary.LittleEndian.Uint32(b[s.sector-4:])
	}
	return s, true
}

func (s *storage) addFAT(b []byte) {
	for ; len(b) >= 4; b = b[4:] {
		s.fat = append(s.fat, binary.LittleEndian.Uint32(b))
	}
}

// at is the content of a sector, as far as there is any.
func (s *storage) at(sector uint32) []byte {
	start := (int64(sector) + 1) * int64(s.sector)
	if sector >= maxSector || start >= int64(len(s.data)) {
		return nil
	}
	return s.data[start:min(start+int64(s.sector), int64(len(s.data)))]
}

// chain is the content of the sectors that follow one another from the one given, up to limit bytes.
func (s *storage) chain(sector uint32, limit int) []byte {
	var out []byte
	for len(out) < limit {
		b := s.at(sector)
		out = append(out, b...)
		if len(b) < s.sector {
			break
		}
		perSector := uint32(s.sector / 4)
		if int(sector/perSector) >= len(s.fat) {
			break
		}
		table := s.at(s.fat[sector/perSector])
		if len(table) < s.sector {
			break
		}
		sector = binary.LittleEndian.Uint32(table[sector%perSector*4:])
	}
	return out
}

// siblings lists the names of the tree of entries that begins with root.
func siblings(directory []byte, root uint32) []string {
	var names []string
	seen := map[uint32]bool{}
	for todo := []uint32{root}; len(todo) > 0; {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[id] || int64(id+1)*oleEntry > int64(len(directory)) || id >= maxSector {
			continue
		}
		seen[id] = true
		e := directory[int(id)*oleEntry:][:oleEntry]
		names = append(names, entryName(e))
		todo = append(todo, binary.LittleEndian.Uint32(e[68:]), binary.LittleEndian.Uint32(e[72:]))
	}
	return names
}

func entryName(entry []byte) string {
	n := min(int(binary.LittleEndian.Uint16(entry[64:])), 64)
	var units []uint16
	for i := 0; i+1 < n; i += 2 {
		u := binary.LittleEndian.Uint16(entry[i:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
