package msg_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"docbatch/pipeline"
	"docbatch/pipeline/extract/content"
	"docbatch/pipeline/extract/msg"
	"docbatch/pipeline/extract/msg/cfb/cfbtest"
)

// What is hostile costs time and memory in proportion to its bytes, or to the bounds.
func TestBombs(t *testing.T) {
	var recipients, attachments []cfbtest.Storage
	for i := range 2000 {
		recipients = append(recipients, recipient(i, 1, fmt.Sprint("name ", i), fmt.Sprintf("a%d@example.org", i), ""))
		attachments = append(attachments, attachment(i, map[string]string{"3707": "a", "37010102": "x"}))
	}
	deep := item(24, nil, map[string]string{"1000": "innermost"})
	for range 200 {
		deep = item(24, nil, map[string]string{"0037": "x"}, attachment(0, nil, cfbtest.Storage{"__substg1.0_3701000D": deep}))
	}
	var unknown []cfbtest.Storage
	for i := range 10_000 {
		unknown = append(unknown, cfbtest.Storage{fmt.Sprintf("__recip_version1.0_#%08X", i): cfbtest.Storage{"__substg1.0_3001001E": []byte("\xe9")}})
	}
	var attributes [][]byte
	for range 60_000 {
		attributes = append(attributes, attribute(2, 0x00069002, nil))
	}
	for _, tt := range []struct {
		name           string
		data           []byte
		warning, bound string // what a warning or the error holds; "" where there is none
	}{
		{"2,000 recipients", cfbtest.Build(item(32, nil, map[string]string{"1000": "x"}, recipients...)), "", ""},
		{"recipients in an unknown encoding", cfbtest.Build(item(32, nil, map[string]string{"1000": "x"}, unknown...)), "", ""},
		{"2,000 attachments", cfbtest.Build(item(32, nil, map[string]string{"1000": "x"}, attachments...)), "", ""},
		{"messages 200 deep", cfbtest.Build(deep), "the bound on nesting of mail", ""},
		{"RTF that says 4 GB", cfbtest.Build(item(32, nil, map[string]string{"10090102": string(lzfu(0xffffffff, 100))})), "the bound on one part", ""},
		{"RTF that says nothing", cfbtest.Build(item(32, nil, map[string]string{"10090102": string(lzfu(0, 100_000))})), "", ""},
		{"RTF of references", cfbtest.Build(item(32, nil, map[string]string{"10090102": string(lzfu(60<<20, 3_000_000))})), "", ""},
		{"a header that travelled", cfbtest.Build(item(32, nil, map[string]string{"1000": "x", "007D": strings.Repeat("To: a@example.org\r\n", 100_000)})), "", ""},
		{"streams that share their sectors", shared(), "", "the bound on all parts together"},
		{"60,000 attachments of TNEF", stream(attributes...), "", "the bound on attributes"},
		{"a row of 4 billion values", stream(attribute(1, 0x00069003, append([]byte("\xff\xff\xff\xff\x02\x10\x01\x00\xff\xff\xff\xff"), make([]byte, 1<<20)...))), "", ""},
		{"4 billion properties without a value", stream(attribute(1, 0x00069003, append([]byte("\xff\xff\xff\xff"), make([]byte, 1<<20)...))), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			read := msg.Read
			if bytes.HasPrefix(tt.data, []byte("\x78\x9f\x3e\x22")) {
				read = msg.ReadTNEF
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			f := file(tt.data)
			f.Bounds.Unpacked = 64 << 20
			c, err := read(t.Context(), f)
			runtime.ReadMemStats(&after)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
			if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(40*len(tt.data)+192<<20); got > limit {
				t.Errorf("%d bytes were allocated for %d, want at most %d", got, len(tt.data), limit)
			}
			switch {
			case tt.bound != "" && (err == nil || !strings.Contains(err.Error(), tt.bound) || pipeline.AsError(err).Kind != pipeline.KindTooLarge):
				t.Errorf("got %v, want %s", err, tt.bound)
			case tt.bound == "" && err != nil && pipeline.AsError(err).Kind != pipeline.KindTooLarge:
				t.Errorf("got the error %v", err)
			case tt.warning != "" && !warned(c, tt.warning):
				t.Errorf("no warning holds %q", tt.warning)
			}
		})
	}
}

func warned(c *content.Content, words string) bool {
	return c != nil && strings.Contains(strings.Join(c.Warnings, "\n"), words)
}

// lzfu is compressed RTF of n references, each of 17 bytes, that says that it holds size bytes.
func lzfu(size uint32, n int) []byte {
	data := binary.LittleEndian.AppendUint32(nil, 0)
	data = binary.LittleEndian.AppendUint32(data, size)
	data = append(data, "LZFu\x00\x00\x00\x00"...)
	for range n / 8 {
		data = append(data, 0xff)
		data = append(data, strings.Repeat("\x00\x0f", 8)...)
	}
	return data
}

// shared is a message of 200 attachments whose streams are the same megabyte.
func shared() []byte {
	var attachments []cfbtest.Storage
	for i := range 200 {
		attachments = append(attachments, attachment(i, map[string]string{"37010102": strings.Repeat("x", 4096+i)}))
	}
	attachments = append(attachments, attachment(200, map[string]string{"37010102": strings.Repeat("y", 1<<20)}))
	data := cfbtest.Build(item(32, nil, nil, attachments...))
	long := binary.LittleEndian.AppendUint32(nil, 1<<20)
	at := 0
	for i := range len(data) / 128 {
		if e := data[128*i:]; e[66] == 2 && bytes.Equal(e[120:124], long) {
			at = 128 * i
		}
	}
	for i := range len(data) / 128 {
		if e := data[128*i:]; e[66] == 2 && string(e[:8]) == "_\x00_\x00s\x00u\x00" && binary.LittleEndian.Uint32(e[120:]) > 4095 {
			copy(e[116:124], data[at+116:at+124])
		}
	}
	return data
}
