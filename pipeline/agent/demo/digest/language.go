package digest

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// langs is a set of languages, one bit each, in the order of languageTags.
type langs uint16

var languageTags = []string{"en", "fr", "de", "es", "it", "pt", "nl"}

// stopWordLists are the words that are frequent in a language and say nothing of the subject, in the order of languageTags.
var stopWordLists = []string{
	`a about above after again against all also although always am among an and another any are as at be because been
 before being below between both but by can cannot could did do does doing done down during each either else enough even ever every
 few for from further get gets give given go goes going good got had has have having he her here hers herself him himself his how however i if
 in into is it its itself just kind last least less let like likely ll made make makes many may maybe me might more most much must my
 myself need needs neither never new next no nor not nothing now of off often on once one only or other our ours ourselves out over
 own per please put quite rather re really regards said same say says see seen several shall she should since so some soon still such
 take taken than thank thanks that the their theirs them themselves then there these they this those though through thus to together too two
 under until up upon us use used using ve very via want was way we well were what when where whether which while who whole whom whose why will
 with within without would yes yet you your yours yourself dear sincerely hello hi don't doesn't didn't isn't i'm we're it's can't won't
 year years day days week month time first second third today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday`,
	`a afin ai aie ainsi alors après au aucun aucune aujourd'hui auprès auquel aura aurait aussi autre autres aux avait avant avec avez avoir avons
 bien c'est c ça car ce ceci cela celle celles celui cependant ces cet cette ceux chaque chez comme comment d dans de depuis dernier
 des dès deux devant doit doivent donc dont du elle elles en encore enfin entre es est et étaient était étant été être eu eux fait faire
 faut fois font hors ici il ils j je jamais jour jours l la là le les lequel leur leurs lors lorsque lui m ma madame mais me même mêmes merci mes
 messieurs mis moi moins mon monsieur n ne ni non nos notre nous on ont ou où par parce pas pendant peu peut peuvent plus plusieurs pour
 pourrait pouvez puis qu quand que quel quelle quelles quelques quels qui quoi s sa sans se sera serait ses seulement si soit son sont
 sous suis sur t ta te tel telle tous tout toute toutes très tu un une va vers veuillez voici voilà vos votre vous y cordialement bonjour
 an ans année mois semaine lundi mardi mercredi jeudi vendredi samedi dimanche premier première lorsqu puisqu jusqu`,
	`ab aber alle allem allen aller alles als also am an andere anderen anderer anderes ans auch auf aus bei beide beiden beim bereits besonders
 bin bis bitte bleibt da dabei dadurch dafür daher damit danach dann daran darauf darf das dass davon dazu dein dem den denen denn der deren
 des deshalb dessen die dies diese diesem diesen dieser dieses doch dort du durch ein eine einem einen einer eines einige einigen er
 erst es etwa etwas euch euer für ganz gar gegen gern gibt habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren
 ihrer im immer in indem ins ist ja je jede jedem jeden jeder jedes jedoch jetzt kann kein keine keinem keinen keiner können könnte konnte
 machen man mehr mein meine meinem meinen mich mir mit möchte möchten müssen muss musste nach nachdem neben nicht nichts noch nun nur
 ob oder ohne schon sehr sei sein seine seinem seinen seiner seit sich sie sind so sobald sofern solche soll sollen sollte sollten sondern sonst
 sowie über um und uns unser unsere unserem unseren unserer unter vom von vor während war waren warum was weil weitere weiteren weiter
 welche welcher wenn wer werde werden wie wieder will wir wird wo wollen wurde wurden würde würden zu zum zur zwar zwei zwischen zunächst
 herr frau herrn damen herren geehrte geehrter geehrten freundlichen grüßen grüße gruß sehr hallo vielen dank
 jahr jahre jahren monat tag tage tagen woche uhr heute morgen gestern montag dienstag mittwoch donnerstag freitag samstag sonntag`,
	`a al algo algún alguna algunas algunos ante antes aquel aquella aquí así aún aunque bajo bien cada casi como cómo con contra cual cuales cualquier
 cuando cuanto cuyo da de debe deben del desde después día días donde dos durante e el él ella ellas ellos en entre era eran es esa esas ese
 eso esos esta está estaba están estar estas este esto estos estoy etc fue fueron gracias ha había habían hace hacer hacia han hasta hay he
 hemos la las le les lo los más me mediante menos mi mientras mis misma mismo mucho muchos muy nada ni no nos nosotros nuestra nuestras nuestro nuestros
 nunca o os otra otras otro otros para pero poco podemos podrá por porque primer primera pues puede pueden que qué quien quién quienes se sea
 según ser será si sí sido siempre sin sino sobre solo sólo somos son su sus tal también tan tanto te tenemos tener tenía ti tiene tienen toda todas todavía
 todo todos tras tu un una unas uno unos usted ustedes va varias varios vez y ya yo señor señora estimada estimado estimados saludo saludos
 atentamente cordial hola año años mes meses semana hoy ayer mañana lunes martes miércoles jueves viernes sábado domingo`,
	`a abbiamo ad ai al alcune alcuni alla alle allo all anche ancora avere aveva avete c che chi ci cioè coi col come con contro cosa così cui da dagli dai dal
 dalla dalle dallo degli dei del della delle dello dentro di dobbiamo dopo dove dovrà due dunque durante e è ed era erano essere fa fare fino fra già gli ha hai
 hanno ho i il in infatti invece io la le lei li lo loro lui ma mai me mentre mi mia mio molti molto ne negli nei nel nella nelle nello nessun
 niente no noi non nostra nostre nostri nostro nulla o ogni oltre oppure ora per perché però più poi possiamo possono prima primo proprio può qualche quale quali
 quando quanto quasi quella quelle quelli quello questa queste questi questo qui quindi sarà se sei sempre senza si sia siamo sono sopra sotto
 sta stata stati stato su sua sue sugli sui sul sulla sulle suo suoi tale tali tanto tra tutta tutte tutti tutto un una uno va verso vi voi
 vostra vostre vostri vostro gentile gentili signor signora cordiali saluti distinti grazie buongiorno anno anni mese mesi giorno giorni settimana oggi ieri domani
 lunedì martedì mercoledì giovedì venerdì sabato domenica dell l nell dall sull quest d`,
	`a à agora ainda alguém algum alguma algumas alguns ao aos apenas após aquela aquele aqui as às assim até bem cada com como contra da das de dela dele
 depois desde dessa desse desta deste deve devem do dois dos durante e é ela elas ele eles em entre era eram essa essas esse esses esta está estamos estão
 estar estas estava este estes eu foi for foram fosse há isso isto já la lhe lhes mais mas me mediante mesma mesmo meu meus minha minhas muito muitos na
 nas não nem nenhum no nos nós nossa nossas nosso nossos num numa o onde os ou outra outras outro outros para pela pelas pelo pelos pode podem pois por porque
 porquê primeira primeiro qual quais quando quanto que quem se sem sempre ser será seu seus seja são si sido só sob sobre sua suas também tão
 tem têm temos tendo ter teve todas todo todos toda tudo tu um uma umas uns vai você vocês vos senhor senhora prezado prezada obrigado obrigada
 atenciosamente cumprimentos olá ano anos mês meses dia dias semana hoje ontem amanhã segunda terça quarta quinta sexta sábado domingo`,
	`aan achter al alle alleen als altijd andere anderen beide ben bent bij binnen bij daar daarna daarom dan dat de deze die dit doen door dus een
 eens eerst eerste elk elke en enkele er ervan even gaan geen geweest haar had hadden heb hebben hebt heeft hem hen het hier hij hoe hun ik in is ja je
 jij jou jouw jullie kan kon konden kunnen kunt maar me meer men met mij mijn moest moet moeten mogen na naar net niet niets nog nogal nu of om omdat onder ons
 onze ook op over per reeds sinds te tegen ten ter terwijl toch toen tot tussen twee u uit uw van vanaf veel vele via volgens voor vooral waar waarbij waarom
 wanneer want waren was wat we wel welke werd werden weer wie wij wil willen word worden wordt zal ze zeer zei zelf zich zij zijn zo zoals zodat
 zonder zou zouden zullen geachte beste heer mevrouw groet groeten vriendelijke hoogachtend bedankt dank alvast
 jaar jaren maand maanden week weken dag dagen vandaag morgen gisteren maandag dinsdag woensdag donderdag vrijdag zaterdag zondag`,
}

// stopWords says in which languages a word is a stop word.
var stopWords = func() map[string]langs {
	m := make(map[string]langs)
	for i, list := range stopWordLists {
		for _, w := range strings.Fields(list) {
			m[w] |= 1 << i
		}
	}
	return m
}()

// letterHints are letters that in Latin script speak for one language; each counts like an unambiguous stop word.
var letterHints = map[rune]langs{'ß': 1 << 2, 'ä': 1 << 2, 'ñ': 1 << 3, '¿': 1 << 3, '¡': 1 << 3, 'ã': 1 << 5, 'õ': 1 << 5, 'œ': 1 << 1, 'ê': 1 << 1, 'ò': 1 << 4, 'ĳ': 1 << 6}

const maxScript = 20000 // letters looked at to tell the script

// language tells the language: by script where that decides, else by whose stop words make up most of the text.
func (r *reading) language() string {
	script, hints := scriptOf(r.text)
	if script != "" {
		return script
	}
	const unit = 840 // divisible by 1 to 7: a word that speaks for n languages counts unit/n for each
	var score [7]int
	total := 0
	for i := range r.vocabulary {
		w := &r.vocabulary[i]
		n := int(w.count)
		total += n
		share(&score, w.stop, n*unit)
	}
	for hint, n := range hints {
		share(&score, hint, n*unit)
	}
	best, second := 0, 1
	for i := range score {
		switch {
		case i > 0 && score[i] > score[best]:
			best, second = i, best
		case i != best && (score[i] > score[second] || second == best):
			second = i
		}
	}
	if score[best] < unit || score[best] == score[second] || score[best]*25 < total*unit {
		return "und"
	}
	r.lang = 1 << best
	return languageTags[best]
}

// share gives n in equal parts to the languages in l.
func share(score *[7]int, l langs, n int) {
	if l == 0 {
		return
	}
	n /= bits.OnesCount16(uint16(l))
	for ; l != 0; l &= l - 1 {
		score[bits.TrailingZeros16(uint16(l))] += n
	}
}

// scripts are those that are not Latin, with the language that they speak for.
var scripts = []struct {
	table *unicode.RangeTable
	tag   string
}{
	{unicode.Cyrillic, "und-Cyrl"}, {unicode.Arabic, "ar"}, {unicode.Han, "zh"}, {unicode.Hiragana, "ja"}, {unicode.Katakana, "ja"},
	{unicode.Hangul, "ko"}, {unicode.Greek, "el"}, {unicode.Hebrew, "he"}, {unicode.Thai, "th"}, {unicode.Devanagari, "und-Deva"},
	{unicode.Armenian, "hy"}, {unicode.Georgian, "ka"},
}

// scriptOf tells the language of a text that is mostly not in Latin script; for one that is, it gives "" and counts letterHints.
func scriptOf(text string) (tag string, hints map[langs]int) {
	var count [12]int
	latin, n := 0, 0
	var marks string
	for i := 0; i < len(text) && n < maxScript; {
		if c := text[i]; c < utf8.RuneSelf {
			if isASCIILetter(c) {
				latin++
				n++
			}
			i++
			continue
		}
		x, size := utf8.DecodeRuneInString(text[i:])
		i += size
		n++
		if h := letterHints[x]; h != 0 {
			if hints == nil {
				hints = make(map[langs]int)
			}
			hints[h]++
		}
		if x < 0x370 {
			latin++
			continue
		}
		for s := range scripts {
			if unicode.Is(scripts[s].table, x) {
				count[s]++
				break
			}
		}
		if strings.ContainsRune("ыэёіїєپچژگ", x) && len(marks) < 64 {
			marks += string(x)
		}
	}
	return dominant(count, latin, marks), hints
}

// dominant names the script that outweighs Latin; marks are letters that tell its languages apart. A character of a script
// without letters counts for three, as it says what takes a word elsewhere.
func dominant(count [12]int, latin int, marks string) string {
	if kana := count[3] + count[4]; kana > 0 && kana*10 > count[2] && (kana+count[2])*3 > latin {
		return "ja"
	}
	count[2], count[5] = 3*count[2], 2*count[5]
	best := 0
	for i := range count {
		if count[i] > count[best] {
			best = i
		}
	}
	if count[best] <= latin {
		return ""
	}
	switch scripts[best].tag {
	case "und-Cyrl":
		if strings.ContainsAny(marks, "іїє") {
			return "uk"
		} else if strings.ContainsAny(marks, "ыэё") {
			return "ru"
		}
	case "ar":
		if strings.ContainsAny(marks, "پچژگ") {
			return "fa"
		}
	}
	return scripts[best].tag
}

var languageNames = map[string]string{
	"en": "English", "fr": "French", "de": "German", "es": "Spanish", "it": "Italian", "pt": "Portuguese", "nl": "Dutch",
	"ru": "Russian", "uk": "Ukrainian", "ar": "Arabic", "fa": "Persian", "zh": "Chinese", "ja": "Japanese", "ko": "Korean",
	"el": "Greek", "he": "Hebrew", "th": "Thai", "hy": "Armenian", "ka": "Georgian",
	"und-Cyrl": "undetermined, in Cyrillic script", "und-Deva": "undetermined, in Devanagari script",
}

// LanguageName is the English name of a Digest.Language.
func LanguageName(tag string) string {
	if name := languageNames[tag]; name != "" {
		return name
	}
	return "undetermined"
}
