package archive

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"docbatch/pipeline"
)

// What a bomb may cost.
const (
	bombMemory = 256 << 20
	bombTime   = 10 * time.Second
)

// zeros writes n of them.
func zeros(w io.Writer, n int64) error {
	_, err := io.CopyN(w, zeroReader{}, n)
	return err
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestBombs lists each and reads a member that it might have; what is refused names the bound.
func TestBombs(t *testing.T) {
	for _, tt := range []struct {
		name, file string
		write      func(w io.Writer) error
		want       string // in the only ref
	}{
		{"a gz of 1 GB", "x.tar.gz", func(w io.Writer) error {
			gz := gzip.NewWriter(w)
			if err := first(tar.NewWriter(gz).WriteHeader(&tar.Header{Name: "a", Size: 1 << 30}), gz.Close()); err != nil {
				return err
			}
			_, err := io.WriteString(w, strings.Repeat(makeGzip(t, strings.Repeat("\x00", 1<<24)), 1<<30>>24))
			return err
		}, "x.tar.gz: it unpacks to more than 255 MiB (the bound on unpacked bytes for an archive of this size)"},
		{"a bz2 of 1 GB", "x.bz2", func(w io.Writer) error {
			stream := unbase64(t, zerosBzip2)
			_, err := io.WriteString(w, strings.Repeat(stream, 100))
			return err
		}, ""},
		{"a zst of 1 GB", "x.zst", func(w io.Writer) error {
			zw, err := zstd.NewWriter(w)
			if err != nil {
				return err
			}
			return first(zeros(zw, 1<<30), zw.Close())
		}, ""},
		{"an xz that asks for a dictionary of 1 GB", "x.xz", func(w io.Writer) error {
			_, err := io.WriteString(w, xzDictionary(t, 36))
			return err
		}, "x.xz: unpacking it takes a dictionary of more than 128 MiB (the bound on memory)"},
		{"a zst that asks for a window of 1 GB", "x.zst", func(w io.Writer) error {
			_, err := w.Write([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, (30 - 10) << 3, 0x01, 0x00, 0x00})
			return err
		}, "x.zst: unpacking it takes a dictionary of more than 128 MiB (the bound on memory)"},
		{"a zip of 1000 members that are the same 1 GB", "x.zip", overlapping,
			"x.zip: its members take more room than there is: they lie over each other, as in a bomb"},
		{"a zip of 200,000 members", "x.zip", func(w io.Writer) error {
			zw := zip.NewWriter(w)
			for i := range 200_000 {
				if _, err := zw.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("folder/document-%d.txt", i)}); err != nil {
					return err
				}
			}
			return zw.Close()
		}, "x.zip: more than 100000 members (the bound on members)"},
		{"a zip of ever more members", "x.zip", func(w io.Writer) error { return endless(w, 800_000) },
			"x.zip: its directory is larger than 24 MiB (the bound on a directory)"},
		{"a tar.gz of 110,000 members", "x.tgz", func(w io.Writer) error {
			gz, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			tw := tar.NewWriter(gz)
			for i := range 110_000 {
				if err := tw.WriteHeader(&tar.Header{Name: fmt.Sprint(i)}); err != nil {
					return err
				}
			}
			return first(tw.Close(), gz.Close())
		}, "x.tgz: more than 100000 members (the bound on members)"},
		{"a tar of nothing but folders", "x.tgz", func(w io.Writer) error {
			gz, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
			if err != nil {
				return err
			}
			_, err = io.WriteString(gz, strings.Repeat(makeTar(t, file{"d/", ""})[:tarBlock], maxMembers+1))
			return first(err, gz.Close())
		}, "x.tgz: more than 100000 members (the bound on members)"},
		{"a zip of zips of gz of 1 GB", "x.zip", nestedBomb, "x.zip: it unpacks to more than 255 MiB (the bound on unpacked bytes for an archive of this size)"},
		{"a 7z with 2^33 members", "x.7z", func(w io.Writer) error {
			return write7z(w, "\x01\x05\xf2\x00\x00\x00\x00\x0e\x01\xff\x00")
		}, "x.7z: more than 100000 members (the bound on members)"},
		{"a 7z with 2^32 streams", "x.7z", func(w io.Writer) error {
			return write7z(w, "\x01\x04\x06\x00\xfc\x00\x00\x00\x00\x01\x00\x00\x09\x00")
		}, "x.7z: more than 100000 members (the bound on members)"},
		{"a 7z with a packed directory of 4 GB", "x.7z", func(w io.Writer) error {
			// A packed directory: one stream of 5 bytes at 0 that LZMA, with a dictionary of 4 GB, packed from 2^32 bytes.
			return write7z(w, "\x17\x06\x00\x01\x09\x05\x00\x07\x0b\x01\x00\x01\x23\x03\x01\x01\x05\x5d\xff\xff\xff\xff\x0c\xf1\x00\x00\x00\x00\x00\x00")
		}, "x.7z: its directory is larger than 24 MiB (the bound on a directory)"},
		{"a 7z that asks for a dictionary of 4 GB", "x.7z", func(w io.Writer) error {
			// The same, from 2^28 bytes, as the stream of one member called "a".
			return write7z(w, "\x01\x04\x06\x00\x01\x09\x05\x00\x07\x0b\x01\x00\x01\x23\x03\x01\x01\x05\x5d\xff\xff\xff\xff\x0c\xf0\x00\x00\x00\x10\x00\x00\x05\x01\x11\x05\x00a\x00\x00\x00\x00\x00")
		}, "x.7z!/a: unpacking it takes a dictionary of more than 128 MiB (the bound on memory)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), tt.file)
			makeFile(t, path, tt.write)
			debug.FreeOSMemory()
			before := fromSystem()
			began := time.Now()
			members := list(t, newShelf(t), path)
			for _, m := range members {
				if m.Err == nil {
					_, err := newShelf(t).Read(t.Context(), openFile(t, path), m.ID)
					checkError(t, err, pipeline.Invalid, pipeline.KindTooLarge, "1048577 bytes are more than 1048576 (the bound on size)")
				}
			}
			if took := time.Since(began); took > bombTime {
				t.Errorf("it took %v, want at most %v", took, bombTime)
			}
			if len(members) != 1 || tt.want != "" && (members[0].Err == nil || !strings.HasSuffix(members[0].Err.Error(), tt.want)) {
				t.Errorf("got %d refs, the last %+v, want only %q", len(members), members[len(members)-1], tt.want)
			}
			if took := fromSystem() - before; took > bombMemory {
				t.Errorf("it took %d MiB, want at most %d", took>>20, bombMemory>>20)
			}
		})
	}
}

// fromSystem is the memory that the process has of the system: it gives back slowly, so that a growth shows what was needed at most.
func fromSystem() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}

func makeFile(t *testing.T, path string, write func(io.Writer) error) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	if err := first(write(w), w.Flush()); err != nil {
		t.Fatal(err)
	}
}

// first is the first of some errors.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// xzDictionary is an xz file whose only block wants a dictionary of a size that its format writes as code.
func xzDictionary(t *testing.T, code byte) string {
	t.Helper()
	data := []byte(makeXZ(t, "small"))
	const header = 12 // of the stream; the block's follows: its size, flags, filter 0x21, one byte of properties
	size := (int(data[header]) + 1) * 4
	block := data[header : header+size]
	at := bytes.Index(block, []byte{0x21, 0x01})
	block[at+2] = code
	binary.LittleEndian.PutUint32(block[size-4:], crc32.ChecksumIEEE(block[:size-4]))
	return string(data)
}

// overlapping writes a zip whose directory names the same packed bytes a thousand times.
func overlapping(w io.Writer) error {
	var one bytes.Buffer
	zw := zip.NewWriter(&one)
	m, err := zw.Create("a")
	if err != nil {
		return err
	}
	if err := first(zeros(m, 1<<20), zw.Close()); err != nil {
		return err
	}
	b := bytes.ReplaceAll(one.Bytes(), []byte{0, 0, 1 << 4, 0}, []byte{0, 0, 0, 1 << 6}) // a size of 1 GB
	at := bytes.LastIndex(b, []byte("PK\x01\x02"))
	end := bytes.LastIndex(b, []byte("PK\x05\x06"))
	var out bytes.Buffer
	out.Write(b[:at])
	for i := range 1000 {
		entry := bytes.Clone(b[at:end])
		entry[46] = byte('A' + i%26)
		out.Write(entry)
	}
	size := out.Len() - at
	trailer := bytes.Clone(b[end:])
	binary.LittleEndian.PutUint16(trailer[8:], 1000)
	binary.LittleEndian.PutUint16(trailer[10:], 1000)
	binary.LittleEndian.PutUint32(trailer[12:], uint32(size))
	out.Write(trailer)
	_, err = out.WriteTo(w)
	return err
}

// endless writes a zip that is a directory of n members and nothing else.
func endless(w io.Writer, n int) error {
	header := make([]byte, 47)
	copy(header, "PK\x01\x02")
	binary.LittleEndian.PutUint16(header[28:], 1)
	header[46] = 'a'
	fmt.Fprint(w, "PK\x03\x04", strings.Repeat("\x00", 26))
	for range n {
		if _, err := w.Write(header); err != nil {
			return err
		}
	}
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[8:], uint16(n))
	binary.LittleEndian.PutUint16(end[10:], uint16(n))
	binary.LittleEndian.PutUint32(end[12:], uint32(n*len(header)))
	binary.LittleEndian.PutUint32(end[16:], 30)
	_, err := w.Write(end)
	return err
}

// nestedBomb writes 16 zips of 16 tars of 8 MB of zeros, packed, in a zip: 2 GB in some kilobytes.
func nestedBomb(w io.Writer) error {
	pack := func(members int, name string, data []byte) []byte {
		var b bytes.Buffer
		zw := zip.NewWriter(&b)
		for i := range members {
			m, _ := zw.Create(fmt.Sprintf("%d%s", i, name))
			m.Write(data)
		}
		zw.Close()
		return b.Bytes()
	}
	var b bytes.Buffer
	gz := gzip.NewWriter(&b)
	tw := tar.NewWriter(gz)
	tw.WriteHeader(&tar.Header{Name: "a", Size: 8 << 20})
	if err := first(zeros(tw, 8<<20), tw.Close(), gz.Close()); err != nil {
		return err
	}
	_, err := w.Write(pack(16, ".zip", pack(16, ".tgz", b.Bytes())))
	return err
}

// write7z writes a 7z archive with no more than a directory.
func write7z(w io.Writer, directory string) error {
	start := binary.LittleEndian.AppendUint64(nil, 16)
	start = binary.LittleEndian.AppendUint64(start, uint64(len(directory)))
	start = binary.LittleEndian.AppendUint32(start, crc32.ChecksumIEEE([]byte(directory)))
	header := binary.LittleEndian.AppendUint32([]byte(magic7z+"\x00\x04"), crc32.ChecksumIEEE(start))
	_, err := fmt.Fprintf(w, "%s%s%s%s", header, start, strings.Repeat("\x00", 16), directory)
	return err
}

// TestZipOfManyMembers is a real dump of the size that a zip may have.
func TestZipOfManyMembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.zip")
	makeFile(t, path, func(w io.Writer) error {
		zw := zip.NewWriter(w)
		for i := range maxMembers {
			m, err := zw.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("department/year/month/letter-%06d.txt", i)})
			if err != nil {
				return err
			}
			fmt.Fprint(m, i)
		}
		return zw.Close()
	})
	s := newShelf(t)
	members := list(t, s, path)
	if len(members) != maxMembers {
		t.Fatalf("got %d members, want %d", len(members), maxMembers)
	}
	for _, i := range []int{0, 77_777, maxMembers - 1} {
		data, err := s.Read(t.Context(), openFile(t, path), members[i].ID)
		if err != nil || string(data) != fmt.Sprint(i) {
			t.Errorf("got %q, %v, want %d", data, err, i)
		}
	}
}

func BenchmarkListZip(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.zip")
	var members []file
	for i := range 50_000 {
		members = append(members, file{fmt.Sprintf("department/year/month/letter-%06d.txt", i), "text"})
	}
	write(b, path, makeZip(b, members...))
	s := newShelf(b)
	b.ReportAllocs()
	for b.Loop() {
		if n := len(list(b, s, path)); n != len(members) {
			b.Fatalf("%d members, want %d", n, len(members))
		}
	}
}

func BenchmarkRead(b *testing.B) {
	var members []file
	for i := range 10_000 {
		members = append(members, file{fmt.Sprintf("month/letter-%06d.txt", i), strings.Repeat("some text ", 400)})
	}
	for name, data := range map[string]string{"x.zip": makeZip(b, members...), "x.tar": makeTar(b, members...), "x.tgz": makeGzip(b, makeTar(b, members...))} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), name)
			write(b, path, data)
			s := newShelf(b)
			for i := 0; b.Loop(); i++ {
				if _, err := s.Read(b.Context(), openFile(b, path), name+Border+members[i%len(members)].name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
