package incoming

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/portalctl/portalctl/pkg/portal"
)

// autoSubject reports whether the subject begins as answering machines begin
// it. The words must stand alone, before a colon or at the end: "Out of office
// chairs" is an order.
//
// Words that are also an ordinary subject, such as "Abwesenheit", or "Auto",
// which is a car, count only in an answer: when the mail refers to another or
// the subject goes on with "Re:".
func autoSubject(m *portal.Incoming) bool {
	s := strings.ToLower(norm.NFC.String(m.Subject))
	s = strings.Join(strings.Fields(s), " ")
	for _, prefix := range autoPrefixes {
		if rest, ok := strings.CutPrefix(s, prefix); ok && (standsAlone(rest) || isAnswer(rest)) {
			return true
		}
	}
	answers := len(m.InReplyTo) > 0 || len(m.References) > 0
	for _, prefix := range autoWeakPrefixes {
		rest, ok := strings.CutPrefix(s, prefix)
		if !ok {
			continue
		}
		if answers && standsAlone(rest) || isAnswer(rest) {
			return true
		}
	}
	return false
}

// standsAlone reports whether a prefix ends here: with the subject, or with a
// sign that sets it off from the rest.
func standsAlone(rest string) bool {
	rest = strings.TrimLeft(rest, " ")
	if rest == "" {
		return true
	}
	first, _ := utf8.DecodeRuneInString(rest)
	return strings.ContainsRune(":\uff1a-–—([【|!", first)
}

// isAnswer reports whether the rest of a subject is that of an answer, such as
// ": Re: Invoice": two to four letters before a colon.
func isAnswer(rest string) bool {
	rest = strings.TrimLeft(rest, " :\uff1a-–—([")
	word, _, found := strings.Cut(strings.Replace(rest, "\uff1a", ":", 1), ":")
	return found && answerWord(strings.TrimRightFunc(word, unicode.IsSpace))
}

// answerWord reports whether the word stands before the colon of an answer's
// subject.
func answerWord(word string) bool {
	switch word {
	case "re", "aw", "sv", "vs", "antw", "odp", "ynt", "res", "rif", "r", "vá", "atb", "απ", "ha",
		"回复", "回覆", "答复", "返信", "답장", "رد", "השב",
		"fw", "fwd", "wg", "vb", "tr", "rv":
		return true
	}
	return false
}

// autoPrefixes are what mail programs and servers write before the subject of
// the mail they answer, lower case.
var autoPrefixes = []string{
	// English
	"automatic reply", "automatic response", "auto reply", "auto-reply", "autoreply",
	"auto response", "auto-response", "autoresponse", "auto responder", "autoresponder",
	"automated reply", "automated response", "auto-acknowledgement",
	"out of office", "out-of-office", "out of the office", "out of office autoreply",
	"out of office reply", "out of office: autoreply", "vacation reply", "vacation message",
	"vacation response", "away from the office", "i am out of the office", "i'm out of the office",
	// Swedish, Danish, Norwegian, Finnish, Icelandic
	"automatiskt svar", "automatisk svar", "autosvar", "frånvaromeddelande", "ej på kontoret",
	"inte på kontoret", "fraværsmeddelelse", "fraværsbesked", "fraværsmelding", "ikke til stede",
	"ikke på kontoret", "automatisk fraværsmelding", "automaattinen vastaus", "poissaoloviesti",
	"poissa toimistosta", "lomavastaus", "automaattivastaus", "sjálfvirkt svar",
	// German, Dutch, Afrikaans, Luxembourgish
	"automatische antwort", "automatische abwesenheitsnotiz", "abwesenheitsnotiz",
	"abwesenheitsmeldung", "abwesenheitsnachricht", "abwesenheitsassistent", "nicht im büro",
	"automatische beantwortung", "automatisch antwoord", "automatische reactie",
	"automatisch bericht", "afwezigheidsbericht", "afwezigheidsassistent", "niet op kantoor",
	"outomatiese antwoord", "automatesch äntwert",
	// French, Spanish, Portuguese, Italian, Catalan, Galician, Basque, Romanian
	"réponse automatique", "reponse automatique", "message d'absence", "message d’absence", //nolint:misspell // French, as some spell it
	"absence du bureau", "absent du bureau", "absente du bureau", "absent(e) du bureau",
	"notification d'absence", "notification d’absence",
	"respuesta automática", "respuesta automatica", "fuera de la oficina", "fuera de oficina",
	"mensaje de ausencia", "resposta automática", "resposta automatica", "fora do escritório",
	"ausência do escritório", "risposta automatica", "fuori sede", "fuori ufficio",
	"messaggio di assenza", "resposta automàtica", "fora de l'oficina", "erantzun automatikoa",
	"răspuns automat", "raspuns automat",
	// Polish, Czech, Slovak, Slovene, Croatian, Serbian, Bosnian, Macedonian, Bulgarian
	"odpowiedź automatyczna", "automatyczna odpowiedź", "autoodpowiedź",
	"nieobecność w biurze", "poza biurem", "automatická odpověď", "automatická odpoveď",
	"mimo kancelář", "mimo kancelárie", "samodejni odgovor", "avtomatski odgovor",
	"automatski odgovor", "automatizirani odgovor", "аутоматски одговор", "автоматски одговор",
	"автоматичен отговор", "извън офиса",
	// Russian, Ukrainian, Belarusian, Kazakh
	"автоматический ответ", "автоответ", "автоответчик", "вне офиса", "автоматична відповідь",
	"автовідповідь", "аўтаматычны адказ", "автоматты жауап", "автоматты түрде жауап беру",
	// Hungarian, Estonian, Latvian, Lithuanian, Greek, Turkish, Albanian, Azerbaijani
	"automatikus válasz", "házon kívül", "irodán kívül", "automaatvastus", "automaatne vastus",
	"kontorist väljas", "automātiska atbilde", "automātiskā atbilde", "automatinis atsakymas",
	"αυτόματη απάντηση", "εκτός γραφείου", "otomatik yanıt", "otomatik cevap", "ofis dışında",
	"përgjigje automatike", "avtomatik cavab",
	// Welsh, Irish, Georgian, Armenian
	"ateb awtomatig", "freagra uathoibríoch", "ავტომატური პასუხი", "ավտոմատ պատասխան",
	// Hebrew, Arabic, Persian, Urdu, Hindi, Bengali
	"תשובה אוטומטית", "מענה אוטומטי", "رد تلقائي", "الرد التلقائي", "خارج المكتب",
	"پاسخ خودکار", "خودکار جواب", "स्वचालित उत्तर", "स्वतः उत्तर", "স্বয়ংক্রিয় উত্তর",
	// Thai, Vietnamese, Indonesian, Malay, Filipino
	"ตอบกลับอัตโนมัติ", "การตอบกลับอัตโนมัติ", "ไม่อยู่ที่สำนักงาน", "trả lời tự động",
	"thư trả lời tự động", "balasan otomatis", "jawaban otomatis", "di luar kantor",
	"balasan automatik", "awtomatikong tugon",
	// Chinese, Japanese, Korean
	"自动回复", "自动答复", "自動回覆", "自動回復", "不在办公室", "自動応答", "自動返信",
	"不在通知", "不在連絡", "자동 회신", "자동회신", "자동 응답", "자동응답", "부재중 알림",
}

// autoWeakPrefixes are prefixes of automatic answers that people write too.
var autoWeakPrefixes = []string{
	"auto", "ooo", "oof", "away", "vacation", "on vacation", "on holiday", "on leave",
	"abwesenheit", "abwesend", "urlaub", "frånvaro", "frånvarande", "semester", "fravær",
	"fraværende", "ferie", "poissa", "lomalla", "afwezig", "afwezigheid", "vakantie", "absence",
	"absent", "absente", "congés", "ausencia", "ausente", "vacaciones", "ausência", "férias",
	"assenza", "assente", "ferie", "nieobecność", "urlop", "nepřítomnost", "dovolená",
	"neprítomnosť", "dovolenka", "távollét", "szabadság", "absență", "concediu", "отсъствие",
	"отпуск", "отсутствие", "відпустка", "odsotnost", "odsutnost", "απουσία", "izin", "izindeyim",
	"puhkus", "atvaļinājums", "atostogos", "不在", "外出", "休假", "休暇", "부재중", "휴가", "חופשה", "إجازة", "مرخصی",
}
