package numfmt

import (
	"slices"
	"testing"
)

// TestFormats compares with what Excel (English) shows.
func TestFormats(t *testing.T) {
	for _, tt := range []struct{ code, raw, want string }{
		{"General", "0.30000000000000004", "0.3"},
		{"General", "45365.75", "45365.75"},
		{"General", "1234567890123456", "1234567890123456"},
		{"General", "-5", "-5"},
		{"General", "1E-3", "0.001"},
		{"General", "1.5E+300", "1.5E+300"},
		{"General", "-1.5E-12", "-1.5E-12"},
		{"General", "1e3", "1000"},
		{"General", "3.3333333333333335", "3.33333333333333"},
		{"General", "text", "text"},
		{"General", "NaN", "NaN"},
		{`General" kg"`, "-2.5", "-2.5 kg"},
		{"@", "007", "7"},
		{"0", "1234.567", "1235"},
		{"0", "2.5", "3"},
		{"0", "-2.5", "-3"},
		{"0", "0.4", "0"},
		{"0.00", "1.005", "1.01"},
		{"0.00", "2.675", "2.68"},
		{"0.00", "99.999", "100.00"},
		{"0.0#", "1.5", "1.5"},
		{"0.##", "1234", "1234"},
		{"#.00", "0.5", ".50"},
		{"00000", "123", "00123"},
		{"#,##0", "1234567", "1,234,567"},
		{"#,##0", "123", "123"},
		{"#,##0.00", "-1234.5", "-1,234.50"},
		{"#,##0,", "1234567", "1,235"},
		{"0.0,,\" M\"", "1234567", "1.2 M"},
		{"0%", "0.125", "13%"},
		{"0.0%", "0.30000000000000004", "30.0%"},
		{"0.0%", "0", "0.0%"},
		{"0%", "0.001", "0%"},
		{"0,", "0", "0"},
		{"0.00", "0", "0.00"},
		{"0.00", "0.004", "0.00"},
		{"#", "0", ""},
		{"0.00%", "-0.0525", "-5.25%"},
		{`#,##0.00 "€"`, "1234.5", "1,234.50 €"},
		{`#,##0.00\ [$€-40C]`, "1234.5", "1,234.50 €"},
		{`[$€-40C] #,##0.00`, "-1234.5", "-€ 1,234.50"},
		{`[$$-409]#,##0.00`, "5", "$5.00"},
		{Builtin(5), "-1234.5", "($1,235)"},
		{Builtin(7), "1234.5", "$1,234.50"},
		{Builtin(39), "-1234.5", "(1,234.50)"},
		{Builtin(43), "0", "-"},
		{Builtin(44), "-1234.5", "$(1,234.50)"},
		{`_-* #,##0.00 €_-;-* #,##0.00 €_-;_-* "-"?? €_-;_-@_-`, "0", "- €"},
		{`_-* #,##0.00 €_-;-* #,##0.00 €_-;_-* "-"?? €_-;_-@_-`, "-7", "-7.00 €"},
		{"#,##0;[Red]-#,##0", "-1234", "-1,234"},
		{`"Nr. "0`, "12", "Nr. 12"},
		{`"yes";"no";"none"`, "-1", "no"},
		{"0000-0000", "12345678", "1234-5678"},
		{"0.00E+00", "12345", "1.23E+04"},
		{"# ?/?", "1.5", "1 1/2"},
		{`[>100]"big";"small"`, "7", "small"},
		{`[>=100]"big";"small"`, "100", "big"},
		{`[<0]"minus ";[=0]"nil";0`, "0", "nil"},
		{`[Red][<0]0.0;0`, "-2", "-2.0"},
		{"[<=9999999]###-####;(###) ###-####", "5551234", "555-1234"},

		{Builtin(14), "45365.75", "2024-03-14"},
		{Builtin(15), "45365.75", "14-Mar-24"},
		{Builtin(16), "45365", "14-Mar"},
		{Builtin(17), "45365", "Mar-24"},
		{Builtin(18), "45365.75", "6:00 PM"},
		{Builtin(19), "0.5", "12:00:00 PM"},
		{Builtin(20), "45365.3", "7:12"},
		{Builtin(21), "45365.3", "7:12:00"},
		{Builtin(22), "45365.75", "2024-03-14 18:00"},
		{Builtin(30), "45365", "2024-03-14"},
		{Builtin(45), "0.3", "12:00"},
		{Builtin(46), "1.5", "36:00:00"},
		{Builtin(47), "0.00001", "00:00.9"},
		{"dd/mm/yyyy", "45365", "14/03/2024"},
		{"d.m.yy", "45365", "14.3.24"},
		{"yyyy-mm-dd hh:mm", "45365.75", "2024-03-14 18:00"},
		{"yyyy\\-mm\\-dd\\ hh:mm:ss.000", "45365.000011574", "2024-03-14 00:00:01.000"},
		{"YYYY-MM-DD", "45365", "2024-03-14"},
		{"[$-409]m/d/yy h:mm AM/PM;@", "45365.01", "3/14/24 12:14 AM"},
		{"[$-F800]dddd, mmmm dd, yyyy", "45365", "Thursday, March 14, 2024"},
		{"[$-407]d. mmmm yyyy", "45365", "14. März 2024"},
		{"[$-40C]dddd d mmmm yyyy", "45365", "jeudi 14 mars 2024"},
		{`yyyy"年"m"月"d"日"`, "45365", "2024年3月14日"},
		{"mmmmm", "45365", "M"},
		{"[mm]:ss", "0.5", "720:00"},
		{"hh:mm", "45365.99999999", "00:00"},
		{"yyyy-mm-dd", "45365.99999999", "2024-03-15"},
		{"yyyy-mm-dd", "1", "1900-01-01"},
		{"yyyy-mm-dd", "59", "1900-02-28"},
		{"yyyy-mm-dd", "60", "1900-02-29"},
		{"yyyy-mm-dd", "61", "1900-03-01"},
		{"yyyy-mm-dd", "-1", "-1"},
		{"yyyy-mm-dd", "2958466", "2958466"},
	} {
		f := New([]string{tt.code}, false, 0)
		if got := string(f.Append(nil, 0, []byte(tt.raw))); got != tt.want {
			t.Errorf("%s of %s: got %q, want %q", tt.code, tt.raw, got, tt.want)
		}
	}
	if got := string(New([]string{"yyyy-mm-dd"}, true, 0).Append(nil, 0, []byte("43903"))); got != "2024-03-14" {
		t.Errorf("1904: got %s", got)
	}
}

// TestSlowFormats writes numbers as they are stored once excelize has been asked often enough.
func TestSlowFormats(t *testing.T) {
	f := New([]string{"# ?/?"}, false, 2)
	for _, tt := range []struct{ raw, want string }{{"1.5", "1 1/2"}, {"2.5", "2 1/2"}, {"3.5", "3.5"}, {"1.5", "1 1/2"}} {
		if got := string(f.Append(nil, 0, []byte(tt.raw))); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.raw, got, tt.want)
		}
	}
}

func FuzzFormat(f *testing.F) {
	for _, s := range []string{"General", "#,##0.00;(0)", "yyyy-mm-dd hh:mm:ss.0", `"a";\b;_c*d`, "[$€-40C]0", "[h]:mm", "# ?/?", "[>1]0", "0.0E+0", "上午/下午h", "[", `"`, "\\", "€", "*\xff"} {
		f.Add(s, "45365.75")
		f.Add(s, "-0.0015")
	}
	f.Fuzz(func(t *testing.T, code, raw string) {
		if len(code) > MaxCodeBytes || len(raw) > 30 {
			return
		}
		if slices.ContainsFunc(compile(code).sections, func(s section) bool { return s.kind == exotic }) {
			return
		}
		fs := New([]string{code}, false, 0)
		if got := fs.Append([]byte("kept"), 0, []byte(raw)); len(got) > 5000+len(code)*320 || string(got[:4]) != "kept" {
			t.Errorf("%q of %q: got %d bytes", code, raw, len(got))
		}
	})
}
