package archive

import (
	"encoding/binary"
	"unicode/utf16"

	"docbatch/pipeline"
)

// The IDs of what a directory of a 7z archive is made of: see "Property IDs" in 7zFormat.txt of the LZMA SDK.
const (
	idEnd = iota
	idHeader
	idArchiveProperties
	_
	idMainStreams
	idFiles
	idPackInfo
	idUnpackInfo
	idSubStreams
	idSize
	idCRC
	idFolder
	idUnpackSize
	idUnpackStream
	idEmptyStream
	idEmptyFile
	_
	idNames
	_
	_
	_
	idAttributes
	_
	idEncodedHeader
)

// A directory is what a 7z archive says of its members.
type directory struct{ files []file7z }

// A file7z is one member.
type file7z struct {
	name    string
	regular bool
	folder  *folder // nil where it has no bytes
	piece
}

// A piece is the bytes of one member in a folder.
type piece struct {
	at, size int64
	crc      uint32
	hasCRC   bool
}

func (p *piece) sum(crc uint32) { p.crc, p.hasCRC = crc, true }

// maxCoders bounds the methods of a folder; 7-Zip takes no more.
const maxCoders = 32

// directory reads all of it.
func (c *cursor) directory() *directory {
	dir := &directory{}
	id := c.byte()
	if id == idArchiveProperties {
		for c.byte() != idEnd && c.err == nil {
			c.bytes(c.number())
		}
		id = c.byte()
	}
	var folders []*folder
	if id == idMainStreams {
		folders = c.streams()
		id = c.byte()
	}
	if id == idFiles {
		dir.files = c.files(folders)
		id = c.byte()
	}
	if id != idEnd {
		c.fail(errDirectory7z)
	}
	return dir
}

// streams reads where the packed streams lie, what they are packed by, and the members in each.
func (c *cursor) streams() []*folder {
	var at int64
	var sizes []int64
	var folders []*folder
	id := c.byte()
	if id == idPackInfo {
		at, sizes = c.packInfo()
		id = c.byte()
	}
	if id == idUnpackInfo {
		folders = c.unpackInfo()
		id = c.byte()
	}
	c.place(folders, at, sizes)
	if id == idSubStreams {
		c.subStreams(folders)
		id = c.byte()
	}
	if id != idEnd {
		c.fail(errDirectory7z)
	}
	return folders
}

func (c *cursor) packInfo() (at int64, sizes []int64) {
	at = c.number()
	n := c.count()
	for {
		switch c.byte() {
		case idEnd:
			return at, sizes
		case idSize:
			for range n {
				sizes = append(sizes, c.number())
			}
		case idCRC:
			for _, has := range c.defined(n) {
				if has {
					c.uint32()
				}
			}
		default:
			c.fail(errDirectory7z)
			return 0, nil
		}
	}
}

// place notes where the streams of the folders lie: one after the other.
func (c *cursor) place(folders []*folder, at int64, sizes []int64) {
	at += sizeStart7z
	for _, f := range folders {
		if f.inputs > len(sizes) {
			c.fail(errDirectory7z)
			return
		}
		f.at, f.packed = at, sizes[0]
		for _, size := range sizes[:f.inputs] {
			if at += size; at < 0 {
				c.fail(errDirectory7z)
				return
			}
		}
		sizes = sizes[f.inputs:]
	}
}

func (c *cursor) unpackInfo() []*folder {
	c.expect(idFolder)
	n := c.count()
	c.external()
	var folders []*folder
	for range n {
		if c.err != nil {
			return nil
		}
		folders = append(folders, c.folder())
	}
	c.expect(idUnpackSize)
	for _, f := range folders {
		for i := range f.outputs {
			if size := c.number(); i == f.last {
				f.size = size
			}
		}
		f.pieces = []piece{{size: f.size}}
	}
	id := c.byte()
	if id == idCRC {
		for i, has := range c.defined(len(folders)) {
			if has {
				folders[i].pieces[0].sum(c.uint32())
			}
		}
		id = c.byte()
	}
	if id != idEnd {
		c.fail(errDirectory7z)
	}
	return folders
}

// folder reads by which methods a folder is packed, and how these are put together.
func (c *cursor) folder() *folder {
	f := &folder{}
	n := c.count()
	if n == 0 || n > maxCoders {
		c.fail(errDirectory7z)
		return f
	}
	inputs := 0
	for range n {
		flags := c.byte()
		coder := coder{id: string(c.bytes(int64(flags & 0x0f)))}
		in, out := 1, 1
		if flags&0x10 != 0 {
			in, out = c.count(), c.count()
		}
		if flags&0x20 != 0 {
			coder.properties = c.bytes(c.number())
		}
		inputs, f.outputs = inputs+in, f.outputs+out
		if flags&0x80 != 0 || inputs > maxCoders || f.outputs > maxCoders {
			c.fail(errDirectory7z)
			return f
		}
		f.coders = append(f.coders, coder)
	}
	c.bindings(f, inputs)
	return f
}

// bindings reads which output of a folder is which input of it. The output that is none is that of the folder.
func (c *cursor) bindings(f *folder, inputs int) {
	if f.outputs < 1 || inputs < f.outputs {
		c.fail(errDirectory7z)
		return
	}
	bound := make([]bool, f.outputs)
	for range f.outputs - 1 {
		c.count()
		if out := c.count(); out < len(bound) {
			bound[out] = true
		}
	}
	if f.inputs = inputs - (f.outputs - 1); f.inputs > 1 {
		for range f.inputs {
			c.count()
		}
	}
	for i, is := range bound {
		if !is {
			f.last = i
		}
	}
}

// subStreams reads the members in each folder, where these are not one in each.
func (c *cursor) subStreams(folders []*folder) {
	id := c.byte()
	if id == idUnpackStream {
		total := 0
		for _, f := range folders {
			n := c.count()
			if total += n; total > maxMembers {
				c.fail(fault(pipeline.KindTooLarge, "more than %d members (the bound on members)", maxMembers))
				return
			}
			if n != 1 {
				f.pieces = make([]piece, n)
			}
		}
		id = c.byte()
	}
	for _, f := range folders {
		c.pieces(f, id == idSize)
	}
	if id == idSize {
		id = c.byte()
	}
	if id == idCRC {
		c.sums(folders)
		id = c.byte()
	}
	if id != idEnd {
		c.fail(errDirectory7z)
	}
}

// pieces reads the sizes of the members in a folder but the last, which has what is left.
func (c *cursor) pieces(f *folder, sizes bool) {
	left := f.size
	for i := range f.pieces {
		p := &f.pieces[i]
		p.at = f.size - left
		switch {
		case i == len(f.pieces)-1:
			p.size = left
		case sizes:
			p.size = c.number()
		default:
			c.fail(errDirectory7z)
		}
		if left -= p.size; left < 0 {
			c.fail(errDirectory7z)
			return
		}
	}
}

// sums reads the checksums of the members that have none yet.
func (c *cursor) sums(folders []*folder) {
	var lacking []*piece
	for _, f := range folders {
		for i := range f.pieces {
			if !f.pieces[i].hasCRC {
				lacking = append(lacking, &f.pieces[i])
			}
		}
	}
	for i, has := range c.defined(len(lacking)) {
		if has {
			lacking[i].sum(c.uint32())
		}
	}
}

// files reads the members, of which those with bytes are the pieces of the folders, in order.
func (c *cursor) files(folders []*folder) []file7z {
	files := make([]file7z, c.count())
	empty, emptyFile := make([]bool, len(files)), []bool(nil)
	for i := range files {
		files[i].regular = true
	}
	for {
		id := c.byte()
		if id == idEnd {
			break
		}
		p := &cursor{left: c.bytes(c.number())}
		switch id {
		case idEmptyStream:
			empty = p.bits(len(files))
		case idEmptyFile:
			emptyFile = p.bits(countTrue(empty))
		case idNames:
			p.names(files)
		case idAttributes:
			p.attributes(files)
		}
		if p.err != nil {
			c.fail(p.err)
		}
	}
	c.fill(files, folders, empty, emptyFile)
	return files
}

func countTrue(bits []bool) (n int) {
	for _, b := range bits {
		if b {
			n++
		}
	}
	return n
}

// fill gives the members that are not empty their bytes; of those that are, only some are files.
func (c *cursor) fill(files []file7z, folders []*folder, empty, emptyFile []bool) {
	f, i, n := 0, 0, 0
	for k := range files {
		if empty[k] {
			files[k].regular = files[k].regular && n < len(emptyFile) && emptyFile[n]
			n++
			continue
		}
		for f < len(folders) && i == len(folders[f].pieces) {
			f, i = f+1, 0
		}
		if f == len(folders) {
			c.fail(errDirectory7z)
			return
		}
		files[k].folder, files[k].piece = folders[f], folders[f].pieces[i]
		i++
	}
}

// names reads the names, in UTF-16, each with a NUL at its end.
func (c *cursor) names(files []file7z) {
	c.external()
	for i := range files {
		end := 0
		for end+1 < len(c.left) && (c.left[end] != 0 || c.left[end+1] != 0) {
			end += 2
		}
		raw := c.bytes(int64(end))
		c.bytes(2)
		units := make([]uint16, len(raw)/2)
		for k := range units {
			units[k] = binary.LittleEndian.Uint16(raw[2*k:])
		}
		files[i].name = string(utf16.Decode(units))
	}
}

// attributes reads which members are files: by what Windows says of them, or Unix in the upper half.
func (c *cursor) attributes(files []file7z) {
	const unix, kind, regular = 0x8000, 0xf000_0000, 0x8000_0000
	const windowsFolder, windowsLink = 0x10, 0x400
	defined := c.defined(len(files))
	c.external()
	for i, has := range defined {
		if !has {
			continue
		}
		a := c.uint32()
		files[i].regular = a&(windowsFolder|windowsLink) == 0 && (a&unix == 0 || a&kind == regular)
	}
}
