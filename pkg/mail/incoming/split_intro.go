package incoming

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// introLines is over how many lines "On … wrote:" may be broken.
const introLines = 4

// intro reports whether line i ends a sentence that introduces a quotation,
// such as "On Sunday, 3 May 2026 at 10:14, Ana <ana@desk.example> wrote:", and
// where it begins. strong says that it is one even without > signs below it.
func (l *letter) intro(i int, line string) (start int, strong bool) {
	below := l.nextFilled(i + 1)
	return l.introAbove(i, line, below < len(l.lines) && l.kinds[below] == lineQuote)
}

func (l *letter) introAbove(i int, line string, quoteBelow bool) (start int, strong bool) {
	if !endsIntro(line) {
		return -1, false
	}
	if l.intros++; l.intros > mostIntros {
		return -1, false
	}
	start = -1
	sentence, whole, settled := "", false, false
	for j := i; j >= 0 && j > i-introLines && l.kinds[j] == lineText && len(l.lines[j]) <= longestLine; j-- {
		part := tidy(l.lines[j])
		if j < i && endsSentence(part) || len(sentence)+len(part) > longestLine {
			break
		}
		sentence = strings.TrimSpace(part + " " + sentence)
		l.looked += len(sentence)
		c := cluesOf(sentence)
		if !c.enough(quoteBelow) {
			continue
		}
		word := beginsWithWord(part)
		// Above "On …" stands something else, unless it is "On Sunday,".
		if settled && (!word || !strings.HasSuffix(part, ",")) {
			break
		}
		opens := word || startsWithDigit(part)
		paragraph := (j == 0 || l.kinds[j-1] != lineText) && goesOn(part)
		switch {
		case j == i, opens, !whole && paragraph, start < 0 && c.whole():
			start, strong = j, c.strong()
			whole = c.whole()
		}
		settled = whole && word
	}
	return start, strong
}

// startsWithin reports whether the quotation begins on the line that introduces
// it, where a program made one line of the two.
func (l *letter) startsWithin(line string) bool {
	at := strings.IndexByte(line, '@')
	if at < 0 || !beginsWithWord(line) && !startsWithDigit(line) {
		return false
	}
	rest := line[at:]
	bracket := strings.IndexByte(rest, '>')
	if bracket < 0 {
		return false
	}
	colon := strings.IndexByte(rest[bracket:], ':')
	if colon < 0 || colon > 60 {
		return false
	}
	end := at + bracket + colon + 1
	if strings.TrimSpace(line[end:]) == "" {
		return false
	}
	if l.intros++; l.intros > mostIntros {
		return false
	}
	l.looked += end
	c := cluesOf(line[:end])
	return c.address && c.year && c.clock && hasWrote(rest[bracket:bracket+colon])
}

// endsIntro reports whether a line can end an introduction: with a colon, or
// with the word for it where programs leave the colon out or draw a rule.
func endsIntro(line string) bool {
	bare := strings.TrimRight(line, "-–— *_")
	if bare == "" {
		return false
	}
	last, _ := utf8.DecodeLastRuneInString(bare)
	switch last {
	case ':', '\uff1a', '\ufe55', '։', '፡', '፦':
		return true
	}
	return len(bare) < len(line) && wroteAtEnd(bare) || strings.HasSuffix(strings.TrimRight(bare, ".․"), "գրել է") ||
		strings.HasSuffix(bare, "写道") || strings.HasSuffix(bare, "寫道") ||
		strings.HasSuffix(bare, "작성") || strings.HasSuffix(bare, "<"+lastAddress(bare)+">")
}

// lastAddress returns what stands within the last angle brackets if it is an
// address behind a date, as one program writes it without a colon. A word that
// no line ends with stands for none.
func lastAddress(line string) string {
	open := strings.LastIndexByte(line, '<')
	if open < 1 || !strings.HasSuffix(line, ">") || !startsWithDigit(line) {
		return "\n"
	}
	address := line[open+1 : len(line)-1]
	if !strings.Contains(address, "@") || strings.ContainsAny(address, " <>") {
		return "\n"
	}
	return address
}

func wroteAtEnd(line string) bool {
	return wrote(strings.ToLower(line[strings.LastIndexByte(line, ' ')+1:]))
}

func endsSentence(line string) bool {
	if line == "" {
		return true
	}
	last, _ := utf8.DecodeLastRuneInString(line)
	return strings.ContainsRune("!?;:\uff1a。!?…", last)
}

// beginsWithWord reports whether the line begins with a word that opens an
// introduction, such as "On".
func beginsWithWord(line string) bool {
	word := strings.ToLower(strings.TrimLeft(line, introTrim))
	if i := strings.IndexFunc(word, func(r rune) bool { return unicode.IsSpace(r) || r == ',' }); i >= 0 {
		word = word[:i]
	}
	return opensIntro(strings.TrimRight(word, ".,"))
}

// introTrim is what programs draw or write before an introduction.
const introTrim = "-–—*_ \"'“«„"

// goesOn reports whether a line can be the first of an introduction that does
// not begin with a word known here: it has a date, an address or the word for
// "wrote" in it, and is no sentence of its own.
func goesOn(line string) bool {
	if !strings.ContainsFunc(line, func(r rune) bool { return unicode.IsDigit(r) || r == '@' }) && !hasWrote(line) {
		return false
	}
	bare, stop := strings.CutSuffix(line, ".")
	if !stop {
		return true
	}
	last := bare[strings.LastIndexByte(bare, ' ')+1:]
	return utf8.RuneCountInString(last) <= 3 // "kl.", "g."
}

func startsWithDigit(line string) bool {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(line, introTrim))
	return unicode.IsDigit(first)
}

// clues are what an introduction is known by. Names and months differ by
// language; digits and addresses do not.
type clues struct {
	address, year, clock, digit, wrote bool
	bracket                            bool // the address is in brackets
	closed                             bool // nothing but a date or an address is last
	long, torn                         bool
}

// enough reports whether the clues suffice above a quotation that has its >
// signs, or without one.
func (c clues) enough(quoteBelow bool) bool {
	if c.strong() {
		return true
	}
	return quoteBelow && (c.wrote && (!c.long || c.digit) || c.address && c.digit || c.year && c.clock)
}

func (c clues) strong() bool {
	if c.wrote {
		return c.bracket || c.year && c.clock
	}
	return c.bracket && c.year && c.clock && c.closed
}

// whole reports whether nothing is missing: who wrote, and when, with the
// address not torn.
func (c clues) whole() bool {
	return (c.bracket || c.wrote) && c.year && c.clock && !c.torn
}

func cluesOf(sentence string) clues {
	c := clues{long: len(sentence) > 160, torn: strings.Count(sentence, ">") > strings.Count(sentence, "<")}
	digits, separators, last := 0, 0, rune(0)
	zone := false // the number is a time zone's, +0200
	number := func() {
		if digits == 4 && !zone {
			c.year = true
		}
		digits = 0
	}
	for i, r := range sentence {
		switch {
		case unicode.IsDigit(r):
			c.digit = true
			if digits == 0 {
				zone = last == '+'
			}
			if digits == 0 && i > 0 && strings.ContainsRune(":.h時时点點시", last) {
				c.clock = c.clock || separators >= 1 || last != '.'
			}
			digits++
		default:
			if digits > 0 && strings.ContainsRune("/.-", r) {
				separators++
			}
			number()
		}
		if !unicode.IsSpace(r) || last != '시' {
			last = r
		}
	}
	number()
	// A short date, 3/5/26, has two separators and no year of four digits.
	if separators >= 2 && c.digit && !c.year {
		c.year = hasShortDate(sentence)
	}
	for _, found := range addressesIn(sentence) {
		c.address = true
		c.bracket = c.bracket || found.start > 0 && strings.IndexByte("<([:", sentence[found.start-1]) >= 0
	}
	c.wrote = hasWrote(sentence)
	end, _ := utf8.DecodeLastRuneInString(strings.TrimRight(sentence, " :\uff1a-"))
	c.closed = unicode.IsDigit(end) || end == '>' || end == ')' || end == ']'
	return c
}

// hasShortDate looks for one or two digits, three times, with the same sign
// between them.
func hasShortDate(s string) bool {
	groups, length := 0, 0
	for i := 0; i < len(s); i++ {
		b := s[i]
		switch {
		case b >= '0' && b <= '9':
			length++
			if groups == 2 && length == 2 {
				return true
			}
		case (b == '/' || b == '.' || b == '-') && length > 0 && length <= 2:
			groups, length = groups+1, 0
		case b == ' ' && length == 0 && groups > 0:
			// 3. 5. 26
		default:
			groups, length = 0, 0
		}
	}
	return false
}

// hasWrote looks for the word for "wrote". Scripts that put no space between
// words are searched for the word within them.
func hasWrote(sentence string) bool {
	for word := range strings.FieldsFuncSeq(sentence, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\u200c'
	}) {
		if len(word) <= 60 && wrote(strings.ToLower(word)) {
			return true
		}
	}
	if isASCII(sentence) {
		return false
	}
	for _, part := range wroteWithin {
		if strings.Contains(sentence, part) {
			return true
		}
	}
	return false
}

// wroteWithin are words for "wrote" in scripts that run words together.
var wroteWithin = []string{
	"写道", "寫道", "写到", "来信", "のメール", "書きました", "書き込みました", "のメッセージ", "作成",
	"작성", "썼습니다", "썼어요", "보낸 메시지", "쓴 글", "เขียน", "ຂຽນ", "សរសេរ", "ရေး", "བྲིས",
}

// wrote reports whether a word in lower case says that somebody wrote.
func wrote(word string) bool {
	switch word {
	case "wrote", "writes", "written", // English
		"schrieb", "schrieben", "geschrieben", "schreibt", // German
		"geschriwwen", "schreef", "geschreven", "schrijft", "geskryf", "skryf", "skreau", // Luxembourgish, Dutch, Afrikaans, Frisian
		"skrev", "skriver", "skrivit", "skreiv", "skrifaði", "ritaði", "skrivaði", // Swedish, Danish, Norwegian, Icelandic, Faroese
		"kirjoitti", "kirjutas", "čálii", // Finnish, Estonian, Sami
		"écrit", "ecrit", "escribió", "escribio", "escreveu", "scritto", "scriveva", "scrive", // French, Spanish, Portuguese, Italian
		"escrit", "escriure", "escribiu", "idatzi", "scris", "scrìviu", "escriguèt", "skribis", "skrivas", "scripsit", // Catalan, Galician, Basque, Romanian, Sicilian, Occitan, Esperanto, Latin
		"napisał", "napisała", "napisał(a)", "pisze", "napsal", "napsala", "napísal", "napísala", "napisal", "napisala", // Polish, Czech, Slovak, Slovene
		"napisao", "piše", "pisał", "pisal", "pisala", "je napisao", "напишао", "написао", "пише", // Croatian, Bosnian, Serbian
		"написа", "напиша", "пишува", "пиша", // Bulgarian, Macedonian
		"написал", "написала", "пишет", "писал", "писала", "написав", "писав", "напісаў", "напісала", "піша", // Russian, Ukrainian, Belarusian
		"írta", "írt", "irta", "rakstīja", "raksta", "rašė", "parašė", // Hungarian, Latvian, Lithuanian
		"έγραψε", "έγραψαν", "γράφει", "yazdı", "yazdi", "yazmış", "yazıb", "shkroi", "shkruajti", // Greek, Turkish, Azerbaijani, Albanian
		"დაწერა", "წერს", "გამოგზავნა", "գրել", "գրեց", "գրում", "жазды", "жазған", "ёзди", "yozdi", "бичсэн", "бичив", // Georgian, Armenian, Kazakh, Uzbek, Mongolian
		"כתב", "כתבה", "כתב/ה", "מאת", "كتب", "كتبت", "كتابة", "بواسطة", "نوشت", "نوشته", "لکھا", "تحریر", // Hebrew, Arabic, Persian, Urdu
		"लिखा", "लिखा:", "लिहिले", "लेख्नुभयो", "লিখেছেন", "লিখেছে", "লিখলেন", "લખ્યું", "ਲਿਖਿਆ", // Hindi, Marathi, Nepali, Bengali, Gujarati, Punjabi
		"எழுதினார்", "எழுதியது", "వ్రాసారు", "రాశారు", "ಬರೆದರು", "ಬರೆದಿದ್ದಾರೆ", "എഴുതി", "ලිව්වේය", "ලියා", // Tamil, Telugu, Kannada, Malayalam, Sinhala
		"viết", "menulis", "nulis", "sumulat", "isinulat", "sinulat", // Vietnamese, Indonesian, Malay, Javanese, Filipino
		"aliandika", "ameandika", "ubhale", "wabhala", "ጽፏል", "ጻፈ", "ጽፈዋል", // Swahili, Zulu, Amharic
		"ysgrifennodd", "ysgrifennwyd", "scríobh", "sgrìobh", "skrivas e", "skrivet": // Welsh, Irish, Gaelic, Breton
		return true
	}
	return false
}

// opensIntro reports whether a word in lower case can begin an introduction:
// the word before a date, or a day of the week.
func opensIntro(word string) bool {
	switch word {
	case "on", "at", "in", // English
		"am", "op", "de", "den", "på", "tann", "þann", "þ", "el", "le", "il", "em", "no", "o", "la", "na", "za", "lo",
		"data", "dana", "dne", "dňa", "dnia", "dn", "w", "v", "u", "у", "в", "на", "во", "дана", "у пон",
		"în", "pe", "la data", "a", "az", "ar", "yn", "d'", "d", "ngày", "vào", "pada", "tarihinde", "noong", "nang",
		"στις", "την", "στην", "ב", "בתאריך", "ביום", "ב-", "في", "بتاريخ", "يوم", "در", "بتاریخ", "مؤرخہ", "को", "ரோஜு",
		"ในวันที่", "เมื่อ", "เมื่อวันที่", "kuupäeval", "kl", "klo", "datë", "më", "tarixində", "ziua", "siku",
		"----", "in message":
		return true
	case "mon", "tue", "wed", "thu", "fri", "sat", "sun", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
		"mo", "di", "mi", "do", "fr", "sa", "so", "mån", "tis", "ons", "tors", "fre", "lör", "sön", "man", "tir", "tor", "lør", "søn",
		"ma", "ti", "ke", "to", "pe ", "la ", "su", "lun", "mar", "mer", "jeu", "ven", "sam", "dim", "mié", "jue", "vie", "sáb", "dom",
		"seg", "ter", "qua", "qui", "sex", "gio", "sab", "pon", "wt", "śr", "czw", "pt", "sob", "niedz", "po", "út", "st", "čt", "pá", "ne",
		"пн", "вт", "ср", "чт", "пт", "сб", "вс", "нд", "понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье",
		"понеділок", "вівторок", "середа", "четвер", "пʼятниця", "субота", "неділя":
		return true
	}
	return false
}
