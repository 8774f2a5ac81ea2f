package incoming

import "strings"

// signatureLines is how long a signature may be; with more below a rule of two
// hyphens, somebody goes on writing. The rule proper has a space behind it. Two
// hyphens alone may be drawn, so that less may follow them.
const (
	signatureLines      = 30
	signatureLinesLoose = 12
)

// mostFooters bounds how many stretches of signature and footer are taken off
// the end of a mail.
const mostFooters = 6

// findSignatures marks the signature and the footers at the end of what stands
// before the cut: those below the answer, and those below the quotation.
func (l *letter) findSignatures(cut int) {
	end := cut
	for range mostFooters {
		for end > 0 && l.kinds[end-1] != lineText {
			end--
		}
		begin := end
		for begin > 0 && l.kinds[begin-1] != lineQuote && l.kinds[begin-1] != lineIntro && end-begin < mostLines {
			begin--
		}
		from := l.signature(begin, end)
		if from == end {
			from = l.footer(begin, end)
		}
		if from == end {
			return
		}
		for i := from; i < end; i++ {
			if l.kinds[i] == lineText {
				l.kinds[i] = lineSign
			}
		}
		end = from
	}
}

// signature returns where the signature begins that ends the lines from begin
// to end, or end when there is none.
func (l *letter) signature(begin, end int) int {
	lines := 0
	for i := end - 1; i >= begin; i-- {
		line := head(l.lines[i])
		l.looked += len(line)
		if l.kinds[i] != lineText {
			continue
		}
		bare := tidy(line)
		if bare == "--" && (lines <= signatureLinesLoose || strings.HasPrefix(line, "-- ")) {
			return i
		}
		if isRule(bare) && l.listFooter(i+1, end) {
			return i
		}
		if lines++; lines > signatureLines {
			break
		}
	}
	return end
}

// listFooter reports whether a mailing list wrote the lines below a rule.
func (l *letter) listFooter(i, end int) bool {
	if i = l.nextFilled(i); i >= end {
		return false
	}
	line := strings.ToLower(head(l.lines[i]))
	l.looked += len(line)
	return strings.Contains(line, "mailing list") || strings.Contains(line, "unsubscribe")
}

// footer returns where the last line begins when a phone or a mail program
// wrote it by itself.
func (l *letter) footer(begin, end int) int {
	i := end - 1
	if i < begin {
		return end
	}
	line := tidy(head(l.lines[i]))
	l.looked += len(line)
	if isRule(line) && l.isFooterAbove(begin, i) || isFooter(line) {
		return i
	}
	// The address some programs write behind it may stand on a line of its own.
	if i > begin && l.kinds[i-1] == lineText && strings.HasPrefix(line, "<http") && isFooter(tidy(head(l.lines[i-1]))) {
		return i - 1
	}
	return end
}

// isFooterAbove reports whether the filled line above i is a footer.
func (l *letter) isFooterAbove(begin, i int) bool {
	for j := i - 1; j >= begin; j-- {
		if l.kinds[j] == lineText {
			return isFooter(tidy(head(l.lines[j])))
		}
	}
	return false
}

// longestFooter is as long as a footer gets, in bytes, with the address of a
// shop behind it.
const longestFooter = 220

// isFooter reports whether a line says only what it was sent with: the words
// for that at its beginning or end, and the name of a thing that sends mail.
func isFooter(line string) bool {
	if line == "" || len(line) > longestFooter {
		return false
	}
	s := strings.ToLower(strings.Trim(withoutLinks(line), "[]()<>*_-–—. "))
	s = strings.ReplaceAll(s, "’", "'")
	if strings.HasPrefix(s, "virus-free") {
		return true
	}
	if !hasAnyOf(s, footerThings) {
		return false
	}
	for _, begin := range footerBegins {
		if strings.HasPrefix(s, begin) {
			return true
		}
	}
	s = strings.TrimRight(s, ". !。")
	for _, end := range footerEnds {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}

// withoutLinks takes out the addresses that stand in angle brackets behind
// what was a link.
func withoutLinks(line string) string {
	for {
		before, after, found := strings.Cut(line, "<http")
		if !found {
			return strings.Join(strings.Fields(line), " ")
		}
		_, after, _ = strings.Cut(after, ">")
		line = before + after
	}
}

func hasAnyOf(s string, parts []string) bool {
	for _, part := range parts {
		if strings.Contains(s, part) {
			return true
		}
	}
	return false
}

// footerThings are what mail is sent with.
var footerThings = []string{
	"iphon", "ipad", "ipod", "apple watch", "icloud", "android", "samsung", "galaxy", "huawei", "xiaomi", "redmi", "oneplus",
	"pixel", "xperia", "sony", "htc", "nokia", "lumia", "motorola", "oppo", "vivo", "honor", "blackberry", "windows phone", "windows 1",
	"outlook", "yahoo", "proton", "gmail", "gmx", "web.de", "t-online", "aol", "tuta", "k-9", "thunderbird", "spark", "airmail",
	"bluemail", "blue mail", "edison", "nine", "fairemail", "mailbird", "hushmail", "zoho", "yandex", "яндекс", "mail.ru", "myмail",
	"mymail", "почты", "пошти", "mailspring", "fastmail", "superhuman", "mail for windows", "mail para windows", "mail für windows", "courrier pour windows",
	"e-post för windows", "mobil", "mobile", "smartphone", "handy", "telefon", "telefone", "teléfono", "téléphone", "telefono", "puhelim", "telephone", "phone",
	"komórk", "мобильн", "мобільн", "мобил", "телефон", "смартфон", "κινητ", "нокиа", "айфон", "אייפון", "טלפון", "نوکیا", "هاتف", "آیفون", "الآيفون", "اي فون",
	"手机", "手機", "携帯", "スマートフォン", "휴대전화", "스마트폰", "모바일", "網易", "网易", "qq", "foxmail", "naver", "daum", "อุปกรณ์", "điện thoại",
	"surface", "tablet", "tablett", "ipados", "macbook", "watch", "uređaj", "zařízení", "zariadenia", "eszköz", "dispositiv", "cihaz",
}

// footerBegins are the words a footer begins with, lower case.
var footerBegins = []string{
	// English
	"sent from", "sent with", "sent via", "sent using", "sent by", "sent on my", "get outlook for", "get bluemail for", "get outlook", "download outlook",
	"composed on", "typed on", "written on my", "dictated on",
	// German, Dutch, Afrikaans
	"von meinem", "von meiner", "gesendet von", "gesendet mit", "gesendet über", "gesendet aus", "diese nachricht wurde", "diese e-mail wurde",
	"holen sie sich outlook", "outlook für", "laden sie outlook", "verschickt mit", "versendet mit", "verzonden vanaf", "verzonden met", "verzonden via", "verstuurd vanaf", "verstuurd met", "verstuurd via", "gestuur van", "gestuur vanaf", "outlook voor", "download outlook voor", "outlook downloaden voor",
	// Swedish, Danish, Norwegian, Finnish, Icelandic, Faroese
	"skickat från", "skickat med", "skickades från", "skickad från", "hämta outlook", "skaffa outlook", "sendt fra", "sendt med", "sendt via", "hent outlook", "få outlook", "skaff deg outlook", "last ned outlook",
	"lähetetty", "hanki outlook", "sent úr", "sendur úr", "sent frá", "fáðu outlook", "sent við",
	// French, Spanish, Portuguese, Italian, Catalan, Galician, Romanian
	"envoyé de", "envoyé depuis", "envoyé à partir", "envoyé avec", "envoyé via", "envoyé par", "envoyée de", "envoyée depuis", "télécharger outlook", "télécharger outlook", "obtenez outlook", "obtenir outlook", "provenance",
	"enviado desde", "enviado con", "enviado de", "enviado do", "enviado a partir", "enviado com", "enviado pelo", "enviado por", "enviado via", "enviado dende", "obtener outlook", "descargar outlook", "obter o outlook", "obter outlook", "baixe o outlook", "baixar o outlook",
	"inviato da", "inviato dal", "inviato con", "inviato tramite", "scarica outlook", "ottieni outlook", "enviat des", "enviat del", "enviat amb", "obteniu l'outlook", "trimis de pe", "trimis de", "trimis din", "trimis cu", "descărcați outlook", "obțineți outlook",
	// Polish, Czech, Slovak, Slovene, Croatian, Serbian
	"wysłano z", "wysłane z", "wysłano za", "wysłane za", "pobierz outlook", "pobierz aplikację outlook", "odesláno z", "odesláno ze", "odesláno pomocí", "získejte outlook", "získat outlook", "odoslané z", "odoslané zo", "odoslané pomocou", "získajte outlook", "získať outlook",
	"poslano z", "poslano s", "poslano iz", "poslano sa", "poslano putem", "prenesite outlook", "preuzmite outlook", "nabavite outlook", "послато са", "послато из", "послано са", "poslato sa", "poslato iz",
	// Bulgarian, Macedonian, Russian, Ukrainian, Belarusian
	"изпратено от", "изпратено с", "испратено од", "отправлено с", "отправлено из", "отправлено от", "отправлено через", "скачать outlook", "загрузить outlook", "получите outlook", "надіслано з", "надіслано з мого", "надіслано через", "відправлено з", "адпраўлена з", "дасланa з", "завантажити outlook", "отримати outlook",
	// Hungarian, Estonian, Latvian, Lithuanian, Greek, Turkish, Albanian
	"elküldve", "küldve", "az outlook", "outlook letöltése", "szerezze be az outlook", "saadetud", "hangi outlook", "hankige outlook", "nosūtīts no", "sūtīts no", "iegūstiet outlook", "išsiųsta iš", "siųsta iš", "gaukite outlook", "στάλθηκε από", "εστάλη από", "απεστάλη από", "αποκτήστε το outlook", "λήψη του outlook", "outlook'u edinin", "dërguar nga", "u dërgua nga",
	// Welsh, Irish, Basque, Georgian, Armenian, Azerbaijani
	"anfonwyd o", "anfonwyd gan", "seolta ó", "seolta as", "nire iphone", "გაგზავნილია", "ուղարկված", "ուղարկվել է", "göndərildi",
	// Hebrew, Arabic, Persian, Urdu
	"נשלח מ", "נשלח באמצעות", "הורד את outlook", "קבל את outlook", "أُرسلت من", "أرسلت من", "تم الإرسال من", "تم الارسال من", "مرسل من", "أُرسل من", "أرسل من", "مُرسل من", "الحصول على outlook", "احصل على outlook", "ارسال شده از", "ارسالشده از", "فرستاده شده از",
	// Thai, Vietnamese, Indonesian, Malay, Filipino
	"ส่งจาก", "ส่งโดย", "đã gửi từ", "được gửi từ", "gửi từ", "tải outlook", "dikirim dari", "dikirim menggunakan", "terkirim dari", "dapatkan outlook", "unduh outlook", "dihantar dari", "dihantar daripada", "ipinadala mula",
	// Chinese, Japanese, Korean
	"发自", "發自", "从我的", "從我的", "傳送自", "传送自", "傳自", "寄自", "来自我的", "來自我的", "由我的", "获取适用于", "取得適用於", "下载 outlook", "ios 版 outlook", "나의 iphone", "내 iphone", "나의 ipad",
}

// footerEnds are the words a footer ends with in languages whose verb is last.
var footerEnds = []string{
	"gesendet", "geschickt", "verschickt", "versendet", "gesendet.", "herunterladen", "downloaden", "sent",
	"gönderildi", "edinin", "indirin", "küldve", "elküldve", "küldtem", "letöltése", "beszerzése",
	"から送信", "より送信", "から送信されました", "を入手", "を入手する", "에서 보냄", "에서 보냈습니다", "에서 전송", "에서 발송", "다운로드",
	"से भेजा गया", "से भेजा", "থেকে পাঠানো", "থেকে পাঠানো হয়েছে", "bidalia", "bidalita", "-დან გაგზავნილი", "göndərildi", "kiruldu", "发送", "傳送", "寄出",
}
