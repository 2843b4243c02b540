package charset

import (
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// letter is one letter of business in the languages of the truth set.
var letter = map[string]string{
	"German": "Sehr geehrte Frau Müller, Ihre Rechnung über zwölf Geräte ist seit März fällig. Bitte prüfen Sie die Beträge und überweisen Sie " +
		"den Rest bis spätestens nächsten Dienstag. Für Rückfragen können Sie uns täglich erreichen. Mit freundlichen Grüßen aus Köln",
	"French": "Chère Madame, nous avons bien reçu votre commande passée en février. La facture a été réglée, mais il manque une pièce à la " +
		"déclaration. Où faut-il l'envoyer ? Le délai prévu s'achève bientôt, même si nous préférons ne pas vous gêner. À très bientôt",
	"Spanish": "Estimado señor: el año pasado recibió usted la información que pidió sobre la construcción. ¿Cuándo podrá decirnos si está de " +
		"acuerdo? Mañana será el último día. Sólo así podremos enviarle también las fotografías más recientes del jardín pequeño.",
	"Portuguese": "Prezada senhora, não recebemos ainda a informação que pedimos em março. A situação é difícil: só três máquinas estão em " +
		"funcionamento e as peças não chegarão antes da próxima estação. Você poderá nos telefonar amanhã? Até já, e muita atenção.",
	"Italian": "Gentile signora, la città è già piena di turisti, perciò le chiedo se può venire più tardi. Non c'è fretta: la società pagherà " +
		"metà della somma lunedì e il resto venerdì. Però verrà anche la qualità controllata, perché così è stato deciso. Sarà così anche là.",
	"Swedish": "Bästa fru Åkesson, vi har ännu inte fått några svar på våra frågor. Därför måste vi tyvärr höja avgiften från första januari. " +
		"Försäkringen gäller även på sjön. Ni når oss på måndagar före lunch. Hälsningar från Göteborg och Örebro",
	"Danish": "Kære fru Sørensen, vi må desværre meddele, at tømreren først kan være på gården næste fredag. Døren på første sal er også ødelagt, " +
		"så vi foreslår, at De får nøglen af vores kollega på Østerbro. Med venlig hilsen fra Ærø",
	"Icelandic": "Kæra Guðrún, það er því miður ekki hægt að afgreiða pöntunina í þessari viku. Við höfum þó fengið ný tæki frá verksmiðjunni og " +
		"þau verða send á mánudaginn. Þú getur hringt í okkur eftir hádegi. Með bestu kveðju úr Reykjavík",
	"Finnish": "Hyvä rouva Hämäläinen, tänään emme vielä pysty lähettämään kääntäjän työtä. Päivämäärä siirtyy, mutta yhtiö hyväksyy sen. " +
		"Käykää sitten meillä syömässä ja näyttäkää löytämänne kynät.",
	"Czech": "Vážená paní, děkujeme za vaši žádost o příspěvek. Bohužel nemůžeme ještě říci, kdy bude účet uhrazen, protože úřad čeká na další " +
		"potvrzení. Příští týden vám však pošleme přílohu a těšíme se na vaši odpověď. Ještě jednou děkuji, Jiří Dvořák",
	"Polish": "Szanowna Pani, dziękujemy za przesłane zgłoszenie. Niestety część dokumentów zginęła, więc prosimy o ponowną wysyłkę w ciągu " +
		"dziesięciu dni. Opłata została już księgowana. Życzymy miłego dnia i łączymy wyrazy szacunku z Łodzi i Gdańska",
	"Hungarian": "Tisztelt Hölgyem! Köszönjük a megrendelését, amelyet tegnap délelőtt kaptunk meg. A szükséges összeget kérjük, hogy legkésőbb " +
		"jövő keddig fizesse be. Gyönyörű időnk van, így a gyűjtemény fölött őrködő kertész is örül. Üdvözlettel Győrből",
	"Romanian": "Stimată doamnă, vă mulţumim că aţi plătit factura în această lună. Din păcate, o parte din piesele aşteptate nu s-au găsit şi " +
		"trebuie să le căutăm în altă parte. Vă rugăm să ne răspundeţi până mâine. Încă o dată mulţumiri de la Iaşi şi Timişoara",
	"Croatian": "Poštovana gospođo, vaša narudžba još nije riješena jer čekamo potvrdu iz Šibenika. Račun ćete dobiti sljedeći tjedan, a uređaj " +
		"će biti složen već u četvrtak. Želimo vam ugodan boravak uz more. Srdačan pozdrav, Đurđica Žužić",
	"Turkish": "Sayın Müdürüm, geçen ay gönderdiğiniz yazıyı aldık. Ödemenin bugün yapılacağını, ancak kalan borcun önümüzdeki yıla bırakıldığını " +
		"bildiririz. Görüşmek üzere, iyi çalışmalar dileriz. İstanbul, Şişli'den saygılarımızla",
	"Lithuanian": "Gerbiama ponia, jūsų prašymą gavome šiandien. Deja, sąskaita dar neapmokėta, todėl kviečiame užsukti į mūsų įstaigą kitą " +
		"trečiadienį. Atsakymą išsiųsime per dešimt dienų. Linkėjimai iš gražių Šiaulių, ačiū už kantrybę",
	"Greek": "Αγαπητή κυρία, σας ευχαριστούμε για την παραγγελία που λάβαμε χθες το πρωί. Δυστυχώς το τιμολόγιο δεν έχει ακόμη πληρωθεί και γι' αυτό " +
		"σας παρακαλούμε να επικοινωνήσετε μαζί μας. Με εκτίμηση από την Αθήνα",
	"Hebrew": "גברת נכבדה, תודה על ההזמנה ששלחת אתמול בבוקר. לצערנו החשבון עדיין לא שולם ולכן אנו מבקשים שתתקשרי אלינו בשבוע הבא. בברכה מירושלים",
	"Arabic": "السيدة المحترمة، نشكركم على الطلب الذي وصلنا أمس. للأسف لم يتم دفع الفاتورة حتى الآن ولذلك نرجو الاتصال بنا في الأسبوع القادم. مع التحية من القاهرة",
	"Thai":   "เรียนคุณผู้หญิง ขอบคุณสำหรับคำสั่งซื้อที่เราได้รับเมื่อวานนี้ แต่ใบแจ้งหนี้ยังไม่ได้ชำระ กรุณาติดต่อเราภายในสัปดาห์หน้า ด้วยความเคารพจากกรุงเทพ",
	"Russian": "Уважаемая госпожа Иванова! Благодарим вас за заказ, который мы получили вчера утром. К сожалению, счёт ещё не оплачен, поэтому просим " +
		"вас связаться с нами на следующей неделе. С уважением, отдел продаж, Москва",
	"Ukrainian": "Шановна пані Ковальчук! Дякуємо за ваше замовлення, яке ми отримали вчора вранці. На жаль, рахунок іще не сплачено, тому просимо " +
		"зв'язатися з нами наступного тижня. З повагою, її помічник із Києва та Чернігова",
	"Bulgarian": "Уважаема госпожо, благодарим ви за поръчката, която получихме вчера сутринта. За съжаление сметката още не е платена и затова ви молим " +
		"да се свържете с нас през следващата седмица. С уважение от София",
	"Japanese":            "拝啓、ご注文をいただきありがとうございます。残念ながら請求書はまだ支払われていませんので、来週までにご連絡ください。東京の営業部より。",
	"Korean":              "안녕하세요. 어제 아침에 보내 주신 주문을 잘 받았습니다. 아쉽게도 대금이 아직 지급되지 않았으니 다음 주까지 연락해 주시기 바랍니다. 서울에서 드립니다.",
	"Simplified Chinese":  "尊敬的女士：我们昨天已经收到您的订单，非常感谢。但是账单还没有支付，请您在下个星期之前与我们联系。如果有问题，可以打电话到北京的办公室。",
	"Traditional Chinese": "尊敬的女士：我們昨天已經收到您的訂單，非常感謝。但是帳單還沒有支付，請您在下個星期之前與我們聯絡。如果有問題，可以打電話到台北的辦公室。",
}

// truth are the encodings that each of them is told from all others in.
var truth = []struct {
	languages string
	encoding  string
	codec     encoding.Encoding
}{
	{"German French Spanish Portuguese Italian Swedish Danish Icelandic Finnish", Windows1252, charmap.Windows1252},
	{"German French Spanish Portuguese Italian Swedish Finnish", "ibm850", charmap.CodePage850},
	{"German French Spanish Portuguese Italian Swedish Danish Finnish", "macintosh", charmap.Macintosh},
	{"Czech Polish Hungarian Romanian Croatian", "windows-1250", charmap.Windows1250},
	{"Czech Polish Croatian", "iso-8859-2", charmap.ISO8859_2},
	{"Czech Polish Hungarian Romanian Croatian", "ibm852", charmap.CodePage852},
	{"Turkish", "windows-1254", charmap.Windows1254},
	{"Lithuanian", "windows-1257", charmap.Windows1257},
	{"Greek", "windows-1253", charmap.Windows1253},
	{"Hebrew", "windows-1255", charmap.Windows1255},
	{"Hebrew", "ibm862", charmap.CodePage862},
	{"Arabic", "windows-1256", charmap.Windows1256},
	{"Arabic", "iso-8859-6", charmap.ISO8859_6},
	{"Thai", "windows-874", charmap.Windows874},
	{"Russian Ukrainian Bulgarian", "windows-1251", charmap.Windows1251},
	{"Russian Bulgarian", "koi8-r", charmap.KOI8R},
	{"Ukrainian", "koi8-u", charmap.KOI8U},
	{"Russian Ukrainian Bulgarian", "iso-8859-5", charmap.ISO8859_5},
	{"Russian Bulgarian", "ibm866", charmap.CodePage866},
	{"Russian Bulgarian", "ibm855", charmap.CodePage855},
	{"Russian Ukrainian Bulgarian", "x-mac-cyrillic", charmap.MacintoshCyrillic},
	{"Japanese", "shift_jis", japanese.ShiftJIS},
	{"Japanese", "euc-jp", japanese.EUCJP},
	{"Japanese", "iso-2022-jp", japanese.ISO2022JP},
	{"Korean", "euc-kr", korean.EUCKR},
	{"Simplified Chinese", "gb18030", simplifiedchinese.GBK},
	{"Traditional Chinese", "big5", traditionalchinese.Big5},
}

// splitLanguages is strings.Fields that leaves the names of two words whole.
func splitLanguages(names string) []string {
	if _, ok := letter[names]; ok {
		return []string{names}
	}
	return strings.Fields(names)
}

func TestGuess(t *testing.T) {
	for _, tt := range truth {
		for _, language := range splitLanguages(tt.languages) {
			t.Run(language+" in "+tt.encoding, func(t *testing.T) {
				want := letter[language]
				b := encode(t, tt.codec, want)
				for name, text := range map[string]string{"plain": b, "among ASCII": strings.Repeat("<p class=x>ok</p>\n", 100) + b} {
					got, encoding := Decode([]byte(text))
					if !strings.HasSuffix(got, want) || encoding != tt.encoding {
						t.Errorf("%s: %s %q, want %s %q", name, encoding, tail(got), tt.encoding, want)
					}
				}
			})
		}
	}
}

// TestGuessFewBytes looks at texts that have next to nothing beyond ASCII: a sign or a name in English, once and over and over.
func TestGuessFewBytes(t *testing.T) {
	for _, text := range []string{
		"Zürich", "naïve", "10 €", "“quoted”", "it’s", "30°", "señor", "Ångström", "ça", "a\u00a0b", "©2020 Foo", "±5", "½ cup", "Ø 10 mm", "5 µm",
		"3 × 4", "«oui»", "•\tone", "déjà vu", "São Paulo", "El Niño", "x²", "garçon", "Æsop", "£5", "voilà", "à la carte", "N° 5", "–", "…", "Škoda",
		"œuvre", "¥500", "§ 5", "®", "™",
	} {
		t.Run(text, func(t *testing.T) {
			for _, n := range []int{1, 20} {
				want := strings.Repeat(text+" and the rest of it.\n", n)
				if got, encoding := Decode([]byte(encode(t, charmap.Windows1252, want))); got != want {
					t.Errorf("%d times: %s %q, want %q", n, encoding, tail(got), tail(want))
				}
			}
		})
	}
}

func TestLanguages(t *testing.T) {
	for _, l := range languages {
		if n := len([]rune(l.letters)); n != len(l.shares) || n < 20 {
			t.Errorf("%s: %d letters, %d shares", l.name, n, len(l.shares))
		}
	}
}
