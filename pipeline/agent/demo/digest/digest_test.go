package digest

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

const inbox = "../../../../testdata/inbox"

// inboxLanguages names the language of every text document of the inbox.
var inboxLanguages = map[string]string{
	"letters/2026-01-14-kuendigung-lagerflaeche.txt": "de", "letters/2026-02-03-travaux-rue-des-tanneurs.txt": "fr",
	"letters/2026-02-20-deposit-flat-4.txt": "en", "letters/2026-03-02-reclamacion-envio.txt": "es",
	"logs/backup-2026-03-09.log": "en", "mails/0001-delivery-delay.txt": "en", "mails/0002-angebot-serverraum.txt": "de",
	"mails/0003-budget-association.txt": "fr", "mails/0004-conferma-ordine.txt": "it", "mails/0005-vraag-factuur.txt": "nl",
	"minutes/2026-02-11-vorstand-turnverein.txt": "de", "minutes/2026-03-05-parish-council.md": "en",
	"minutes/verbale-assemblea-condominio.txt": "it", "notes/aviso-comunidad.txt": "es", "notes/ideas-for-the-shop.md": "en",
	"notes/lecture-histoire-du-sel.md": "fr", "notes/telefonnotiz-dachschaden.txt": "de", "reports/jahresbericht-stadtbibliothek.txt": "de",
	"reports/q1-water-quality.md": "en", "reports/rapport-accident-atelier.txt": "fr", "reports/site-visit-harbour-shed.txt": "en",
}

// inboxTexts reads the text documents of the inbox, whatever their encoding.
func inboxTexts(t testing.TB) map[string]string {
	t.Helper()
	texts := make(map[string]string)
	err := fs.WalkDir(os.DirFS(inbox), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".csv" || filepath.Ext(path) == ".xlsx" {
			return err
		}
		data, err := os.ReadFile(filepath.Join(inbox, path))
		texts[path] = decoded(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// decoded knows the encodings of the inbox: UTF-16 with a mark, UTF-8, else Windows-1252 (of which the quotes do not matter).
func decoded(data []byte) string {
	if len(data) > 2 && data[0] == 0xFF && data[1] == 0xFE {
		units := make([]uint16, len(data)/2-1)
		for i := range units {
			units[i] = binary.LittleEndian.Uint16(data[2*i+2:])
		}
		return string(utf16.Decode(units))
	}
	if utf8.Valid(data) {
		return strings.TrimPrefix(string(data), "\ufeff")
	}
	runes := make([]rune, len(data))
	for i, c := range data {
		if runes[i] = rune(c); c == 0x80 {
			runes[i] = '€'
		}
	}
	return string(runes)
}

func TestInbox(t *testing.T) {
	texts := inboxTexts(t)
	if len(texts) != len(inboxLanguages) {
		t.Errorf("%d documents, want %d", len(texts), len(inboxLanguages))
	}
	for path, text := range texts {
		t.Run(path, func(t *testing.T) {
			d := Of(text)
			if d.Language != inboxLanguages[path] {
				t.Errorf("language: got %s, want %s", d.Language, inboxLanguages[path])
			}
			if n := len(d.Summary); n < 2 || n > 4 || len(d.Terms) < 5 || d.Title == "" {
				t.Errorf("got %d sentences, terms %q, title %q", n, d.Terms, d.Title)
			}
			checkNothingInvented(t, text, d)
			if again := Of(text); !reflect.DeepEqual(d, again) {
				t.Errorf("read again: got %+v, want %+v", again, d)
			}
		})
	}
}

// checkNothingInvented checks that all that d says stands in the text.
func checkNothingInvented(t *testing.T, text string, d Digest) {
	t.Helper()
	flat := strings.Join(strings.Fields(strings.ToValidUTF8(text, "\uFFFD")), " ")
	for _, s := range append(append([]string{d.Title}, d.Summary...), d.Terms...) {
		s = strings.TrimSuffix(s, "…")
		if name, value, ok := strings.Cut(s, ": "); ok && !strings.Contains(flat, s) {
			s = value // "name : value" is said as "name: value"
			if !strings.Contains(flat, name) {
				t.Errorf("not in the document: %q", name)
			}
		}
		if !strings.Contains(flat, s) {
			t.Errorf("not in the document: %q", s)
		}
	}
}

func TestSummary(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a form", "invoice_no: R-17\nsupplier: Ott & Sons\namount: 12.00 €\nnote: Two shelves", "invoice_no: R-17; supplier: Ott & Sons; amount: 12.00 €; note: Two shelves"},
		{"a row with sentences", "ticket_id: 17\nCustomer: Ann\nMessage: It is cold in the hall. Please send somebody to look at the boiler.",
			"It is cold in the hall. Please send somebody to look at the boiler."},
		{"no sentences", "one\ntwo", "one; two"},
		{"a sentence said twice", "The bridge at the mill is closed. The bridge at the mill is closed. Buses go by the ring road until May.",
			"The bridge at the mill is closed. Buses go by the ring road until May."},
		{"greetings left out", "Hello Ann,\n\nThe new boiler arrives on Monday. The old boiler is taken away on Tuesday.\n\nKind regards,\nBob",
			"The new boiler arrives on Monday. The old boiler is taken away on Tuesday."},
		{"nothing", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := Of(tt.text)
			if got := d.SummaryText(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTitle(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("a long line of text that goes on ", 4))
	for _, tt := range []struct{ name, text, want string }{
		{"mail", "From: a@example.com\nTo: b@example.com\nSubject: The drain is blocked\n\nHello.", "The drain is blocked"},
		{"letter", "Karl Ott\nWeg 1\nUlm\n\nUlm, 3. Mai 2026\n\nBetreff: Ihre Rechnung\n\nSehr geehrte Frau Abt,", "Ihre Rechnung"},
		{"French colon", "Service\nRue\nVille\n\nObjet : Les travaux\n\nMadame,", "Les travaux"},
		{"letter without subject", "Ann Poe\nRoad 1\nYork\n\n3 May 2026\n\nYour broken gate\n\nDear Sir,", "Your broken gate"},
		{"Markdown", "# The *first* heading\n\n## Second", "The *first* heading"},
		{"underlined", "Annual report\n=============\n\nText.", "Annual report"},
		{"row", "ticket_id: 17\nCustomer: Ann\nSubject: No heating\nMessage: It is cold.", "No heating"},
		{"row without subject", "invoice_no: R-17\nsupplier: Ott\namount: 3", "invoice_no: R-17"},
		{"one line", "Just a note", "Just a note"},
		{"running text", long + ". And more. " + long, long + "."},
		{"nothing", " \n\t\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Of(tt.text).Title; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSentences(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"plain", "One is here. Two is there! Is three? Yes.", []string{"One is here.", "Two is there!", "Is three?", "Yes."}},
		{"abbreviations", "Dr. Ott saw Mr. A. Poe, i.e. me. He left.", []string{"Dr. Ott saw Mr. A. Poe, i.e. me.", "He left."}},
		{"German dates", "Am 3. März war es kalt. Im 2. Quartal nicht. Nr. 5 auch.", []string{"Am 3. März war es kalt.", "Im 2. Quartal nicht.", "Nr. 5 auch."}},
		{"a number at the end", "There are 12. The rest is gone.", []string{"There are 12.", "The rest is gone."}},
		{"numbers and hosts", "It costs 1.250,00 at shop.example.com now. Good.", []string{"It costs 1.250,00 at shop.example.com now.", "Good."}},
		{"quotes", "\"Who?\" he said. (It was late.) So.", []string{"\"Who?\" he said.", "(It was late.)", "So."}},
		{"Chinese", "会议已经结束。请签字！好吗？", []string{"会议已经结束。", "请签字！", "好吗？"}},
		{"wrapped", "This line is broken since there was no more room\nfor it here and it goes on.\nNext line of it is also long enough to be full\nof words. End.",
			[]string{"This line is broken since there was no more room\nfor it here and it goes on.", "Next line of it is also long enough to be full\nof words.", "End."}},
		{"list", "- first entry\n- second entry", []string{"first entry", "second entry"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newReading(tt.text)
			defer r.release()
			r.read()
			var got []string
			for _, s := range r.sentences {
				got = append(got, strings.TrimSpace(r.text[s.start:s.end]))
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		text                   string
		dates, amounts, number int
	}{
		{"on 3 March 2026 and 2026-03-04 and 4/5/26", 3, 0, 0},
		{"am 3. März 2026, den 4. Mai und am 05.06.2026", 3, 0, 0},
		{"le 1er avril 2026, le 2 mai", 2, 0, 0},
		{"el 3 de marzo de 2026", 1, 0, 0},
		{"March 3, 2026 and July 4", 2, 0, 0},
		{"you may 5 times", 0, 0, 1},
		{"€ 12,50 and 12.50 € and $3 and 3 EUR and CHF 7 and 12 euros", 0, 6, 0},
		{"486 000 € and 1\u00a0263,80\u00a0€", 0, 2, 1},
		{"12 %, room 4.17, 10:30", 0, 0, 3},
		{"R-2026-17 and A4", 0, 0, 0},
	} {
		c := Of(tt.text).Counts
		if c.Dates != tt.dates || c.Amounts != tt.amounts || c.Numbers != tt.number {
			t.Errorf("%q: got %d dates, %d amounts, %d numbers; want %d, %d, %d", tt.text, c.Dates, c.Amounts, c.Numbers, tt.dates, tt.amounts, tt.number)
		}
	}
	c := Of("A heading\n\nTwo words here. And two more.\n\nLast one.\n").Counts
	if want := (Counts{Words: 10, Sentences: 3, Paragraphs: 3}); c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

func TestLanguage(t *testing.T) {
	for _, tt := range []struct{ want, text string }{
		{"en", "The printer does not work and I cannot find the manual."},
		{"fr", "L'imprimante ne fonctionne pas et je ne trouve plus le mode d'emploi."},
		{"de", "Der Drucker geht nicht und ich finde die Anleitung nicht mehr."},
		{"es", "La impresora no funciona y no encuentro el manual por ninguna parte."},
		{"it", "La stampante non funziona e non trovo più il manuale delle istruzioni."},
		{"pt", "A impressora não funciona e não encontro o manual em lado nenhum."},
		{"nl", "De printer werkt niet en ik kan de handleiding nergens meer vinden."},
		{"ru", "Принтер не работает, и мы не можем найти инструкцию."},
		{"uk", "Принтер не працює, і ми не можемо знайти інструкцію."},
		{"und-Cyrl", "Принтерът не работи"},
		{"ar", "الطابعة لا تعمل ولا أجد الدليل"},
		{"fa", "چاپگر کار نمی\u200cکند"},
		{"zh", "打印机坏了，我们找不到说明书。"},
		{"ja", "プリンターが動きません。説明書が見つかりません。"},
		{"ko", "프린터가 작동하지 않고 설명서를 찾을 수 없습니다."},
		{"el", "Ο εκτυπωτής δεν λειτουργεί"},
		{"he", "המדפסת לא עובדת"},
		{"und", "xyzzy 4711 qwrt"},
		{"und", ""},
	} {
		d := Of(tt.text)
		if d.Language != tt.want {
			t.Errorf("%q: got %s, want %s", tt.text, d.Language, tt.want)
		}
		if name := LanguageName(d.Language); (name == "undetermined") != (tt.want == "und") {
			t.Errorf("%s is called %q", tt.want, name)
		}
	}
}

// No document takes long: the time is linear whatever the bytes are.
func TestHostile(t *testing.T) {
	for name, unit := range map[string]string{
		"one letter": "a", "blanks": " ", "lines": "\n", "stops": ".", "short sentences": "Ab. ", "rules": "---\n", "fields": "a: b\n", "entries": "- a\n",
		"headings": "# a\n", "bad bytes": "\xff", "digits": "7", "dates": "1.1.26 ", "marks": "1-", "apostrophes": "a'", "hosts": "a.", "Chinese": "字", "kana": "の字",
		"fences": "<<<DOCUMENT 0123abcd>>>\n", "quotes": "\"", "closers": ".)", "months": "May 1 ",
	} {
		text := strings.Repeat(unit, (1<<20)/len(unit))
		start := time.Now()
		d := Of(text)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("1 MiB of %s took %v", name, took)
		}
		if len(d.Title) > maxTitleBytes+3 || len(strings.Join(d.Summary, "")) > 4*(maxSentenceBytes+3) {
			t.Errorf("1 MiB of %s: the digest is too long: %d, %d", name, len(d.Title), len(strings.Join(d.Summary, "")))
		}
	}
	d := Of(strings.Repeat("word ", MaxBytes/4))
	if !d.Counts.Partial || d.Counts.Words != MaxBytes/5+1 {
		t.Errorf("more than MaxBytes: got %+v", d.Counts)
	}
}

func FuzzOf(f *testing.F) {
	for _, text := range inboxTexts(f) {
		f.Add(text)
	}
	for _, s := range []string{"", "a: ", "- ", "1. ", "#", "# ", "3 de ", "March 3", "\xff\xfe", "’’", "l'", "a\n---\n", "€", "1.", "字。", "x@y", "12\u00a0", "Re: \t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<16 {
			return
		}
		d := Of(text)
		for _, s := range append(append([]string{d.Title}, d.Summary...), d.Terms...) {
			if !utf8.ValidString(s) || strings.ContainsAny(s, "\n\r\t") {
				t.Errorf("not a line of text: %q", s)
			}
		}
		checkNothingInvented(t, text, d)
		if again := Of(text); !reflect.DeepEqual(d, again) {
			t.Errorf("read again: got %+v, want %+v", again, d)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	var all strings.Builder
	for _, text := range inboxTexts(b) {
		all.WriteString(text)
	}
	for _, size := range []int{2 << 10, 20 << 10, 1 << 20} {
		text := strings.Repeat(all.String(), size/all.Len()+1)[:size]
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Of(text)
			}
		})
	}
}
