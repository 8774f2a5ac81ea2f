package incoming

import (
	"strings"
	"unicode"
)

// isDivider recognises the line programs draw above a mail they quote or pass
// on, such as "-----Original Message-----" and "Begin forwarded message:". A
// divider in a language that is not known here is one when the mail's header
// stands below it.
func (l *letter) isDivider(i int, line string) bool {
	line = strings.ReplaceAll(line, "&nbsp;", " ") // as one provider writes it even into plain text
	words := strings.TrimFunc(line, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
	if words == "" || len(words) > 120 {
		return false
	}
	drawn := isDrawn(line)
	lower := strings.ToLower(words)
	if drawn && dividerWords(lower) || beginsForward(lower) && (drawn || endsIntro(line)) {
		return true
	}
	return drawn && l.headerBelow(l.nextFilled(i+1), true)
}

// isDrawn reports whether words stand between hyphens or their like.
func isDrawn(line string) bool {
	line = strings.Trim(line, "* ")
	rule := func(r rune) bool { return strings.ContainsRune("-_=—–─━", r) }
	left := len(line) - len(strings.TrimLeftFunc(line, rule))
	right := len(line) - len(strings.TrimRightFunc(line, rule))
	return left >= 2 && right >= 2
}

// isHeaderBlock recognises the header of a mail that stands in the text, as
// Outlook writes it above what it quotes.
func (l *letter) isHeaderBlock(i int, line string) bool {
	if roleOf(line) == roleNone {
		return false
	}
	above := i - 1
	for above >= 0 && l.kinds[above] == lineBlank {
		above--
	}
	ruled := above >= 0 && l.kinds[above] == lineText && isRule(tidy(head(l.lines[above])))
	return l.headerBelow(i, ruled)
}

// headerLines is how many lines of a header are looked at. Long lists of
// recipients are broken over several.
const headerLines = 14

// headerBelow reports whether a mail's header begins at line i. Somebody's own
// list of "From: Lund, To: Oslo" must not be taken for one: without a rule
// above it, a header has a subject, or names its sender with an address.
func (l *letter) headerBelow(i int, ruled bool) bool {
	var seen [roles]bool
	address, blank, other := false, 0, 0
	for j := i; j < min(i+headerLines, len(l.lines)); j++ {
		line := tidy(head(l.lines[j]))
		l.looked += len(line)
		if line == "" {
			if blank++; blank > 1 {
				break
			}
			continue
		}
		role := roleOf(line)
		if role == roleNone {
			if j == i {
				return false
			}
			// A blank line ends a header unless another line of it follows.
			if other++; other > 3 || blank > 0 {
				break
			}
			continue
		}
		if l.kinds[j] == lineQuote {
			break
		}
		blank = 0
		seen[role] = true
		if role == roleFrom && strings.Contains(line, "@") {
			address = true
		}
	}
	count := 0
	for _, is := range seen[roleFrom:] {
		if is {
			count++
		}
	}
	switch {
	case !seen[roleFrom] || count < 2:
		return false
	case ruled || address:
		return true
	}
	return seen[roleSubject] && (seen[roleDate] || seen[roleTo]) && count >= 3
}

// headerRole is what a line of a mail's header says.
type headerRole int

const (
	roleNone headerRole = iota
	roleFrom
	roleDate
	roleTo
	roleSubject
	roles
)

// longestLabel is as long as a label gets, in bytes.
const longestLabel = 60

// roleOf reads the label of a header's line, which programs also write in
// bold: "*From:* Ana <ana@desk.example>".
func roleOf(line string) headerRole {
	line = strings.TrimLeft(line, "*_ ")
	end := strings.IndexByte(cutText(line, longestLabel), ':')
	if wide := strings.Index(cutText(line, longestLabel), "\uff1a"); wide >= 0 && (end < 0 || wide < end) {
		end = wide
	}
	if end < 1 {
		return roleNone
	}
	return labelRole(strings.ToLower(strings.Trim(line[:end], "*_ ")))
}

// labelRole knows the labels of mail programs, lower case.
func labelRole(label string) headerRole {
	switch label {
	case "from", "von", "de", "da", "van", "från", "fra", "frå", "frá", "lähettäjä", "expéditeur", "remitente", "remetente", "mittente",
		"afzender", "avsändare", "afsender", "avsender", "od", "nadawca", "odesílatel", "odosielateľ", "feladó", "de la", "expeditor",
		"от", "от кого", "отправитель", "від", "від кого", "ад", "ад каго", "од", "oд", "saatja", "kellelt", "no", "sūtītājs", "nuo", "siuntėjas",
		"από", "gönderen", "kimden", "kimdən", "göndərən", "nga", "o", "oddi wrth", "oddi wrth:", "ó", "bho", "nork", "igorlea", "remitent", "vun", "pošiljatelj", "šalje", "pošiljalac", "pošilja",
		"מאת", "من", "المرسل", "از", "فرستنده", "منجانب", "प्रेषक", "से", "द्वारा", "থেকে", "প্রেরক", "அனுப்புநர்", "నుండి", "ಇಂದ", "അയച്ചയാൾ", "പ്രേഷകൻ", "પ્રેષક", "प्रेषकः",
		"จาก", "ผู้ส่ง", "từ", "người gửi", "dari", "pengirim", "daripada", "mula kay", "kutoka", "kutoka kwa", "발신", "보낸 사람", "보낸사람", "발신자", "보낸이",
		"发件人", "寄件者", "寄件人", "發件人", "发送人", "差出人", "送信者", "送信元", "გამომგზავნი", "ვისგან", "ումից", "ուղարկող", "кімнен", "жіберуші", "kimdan", "хэнээс", "ከ":
		return roleFrom
	case "sent", "date", "sent at", "sent on", "gesendet", "datum", "gesendet am", "envoyé", "envoyé le", "date d'envoi", "enviado", "enviado el", "enviado em", "enviada em", "enviada", "fecha", "data",
		"inviato", "data invio", "verzonden", "verzonden op", "skickat", "sendt", "dato", "päivämäärä", "lähetetty", "pvm", "sendur", "sent þann", "dags", "dagsetning", "wysłano", "data wysłania", "odesláno", "odoslané", "dátum", "odoslaná", "dne",
		"küldve", "elküldve", "küldés dátuma", "trimis", "dată", "data trimiterii", "изпратено", "дата", "отправлено", "дата отправки", "надіслано", "дата надсилання", "адпраўлена", "датум", "испратено", "poslano", "poslato", "послато", "saadetud", "kuupäev",
		"nosūtīts", "datums", "išsiųsta", "στάλθηκε", "ημερομηνία", "απεστάλη", "gönderildi", "gönderilme tarihi", "gönderim tarihi", "tarih", "göndərilib", "tarix", "dërguar", "dërguar më", "anfonwyd", "dyddiad", "seolta", "dáta", "bidalia", "bidaltze-data", "enviat", "enviat el", "geschéckt", "gestuur",
		"נשלח", "תאריך", "تاريخ الإرسال", "التاريخ", "أرسلت", "تم الإرسال", "تاریخ", "ارسال شده", "ارسالشده", "بتاریخ", "भेजा गया", "दिनांक", "तारीख", "भेजने की तारीख", "প্রেরিত", "তারিখ", "அனுப்பியது", "தேதி", "పంపబడింది", "ಕಳುಹಿಸಲಾಗಿದೆ", "അയച്ചത്", "મોકલ્યું", "पाठवले",
		"ส่งเมื่อ", "วันที่", "ส่ง", "đã gửi", "ngày", "thời gian gửi", "ngày gửi", "dikirim", "tanggal", "terkirim", "dihantar", "tarikh", "ipinadala", "petsa", "imetumwa", "tarehe", "보낸 날짜", "날짜", "보낸날짜", "보낸 시간", "발송일", "받은 날짜",
		"发送时间", "日期", "发送日期", "傳送日期", "寄件日期", "时间", "送信日時", "日付", "日時", "送信日", "გაგზავნილია", "თარიღი", "ամսաթիվ", "ուղարկված", "жіберілді", "күні", "огноо", "የተላከው":
		return roleDate
	case "to", "cc", "bcc", "an", "à", "a", "para", "destinataire", "destinatario", "destinatário", "aan", "till", "til", "vastaanottaja", "kopia", "kopi", "kopie", "kopio", "do", "dw", "adresat", "komu", "címzett", "másolatot kap", "către", "la", "catre",
		"до", "кому", "копие", "копия", "копія", "каму", "за", "na", "za", "kome", "prima", "primatelj", "прима", "коме", "prejemnik", "zadeva za", "saaja", "koopia", "adresāts", "kam", "kam:", "saņēmējs", "kopija", "gavėjas", "προς", "κοιν", "κοινοποίηση", "kime", "alıcı", "bilgi", "kimə", "për", "at", "i", "go", "chuig", "nori", "hartzailea", "per a", "per", "un", //nolint:misspell // Latvian
		"אל", "עותק", "إلى", "الى", "نسخة", "به", "گیرنده", "بنام", "प्रति", "को", "प्राप्तकर्ता", "প্রতি", "প্রাপক", "பெறுநர்", "వరకు", "ಗೆ", "സ്വീകർത്താവ്", "પ્રતિ", "ถึง", "ผู้รับ", "สำเนา", "đến", "tới", "người nhận", "kepada", "ke", "untuk", "penerima", "para kay", "kay", "kwa", "받는 사람", "받는사람", "수신", "수신자", "참조", "받는이",
		"收件人", "收件者", "抄送", "副本", "宛先", "受信者", "მიმღები", "ვის", "ում", "ստացող", "кімге", "хэнд", "ለ", "reply-to", "antwort an", "répondre à", "responder a", "svara till":
		return roleTo
	case "subject", "betreff", "objet", "sujet", "asunto", "assunto", "oggetto", "onderwerp", "ämne", "emne", "aihe", "otsikko", "efni", "evni", "temat", "předmět", "predmet", "tárgy", "subiect", "тема", "относно", "предмет", "наслов", "naslov", "tema", "zadeva",
		"teema", "temats", "θέμα", "konu", "mövzu", "subjekti", "lënda", "tema:", "pwnc", "testun", "ábhar", "gaia", "assumpte", "onderwerp:", "sujet:", "тақырып", "тэма", "mavzu", "сэдэв", "גושא", "נושא", "الموضوع", "موضوع", "عنوان", "विषय", "বিষয়", "பொருள்", "విషయం", "ವಿಷಯ", "വിഷയം", "વિષય", "หัวข้อ", "เรื่อง", "ชื่อเรื่อง", "chủ đề", "tiêu đề", "subjek", "perihal", "judul", "subyek", "perkara", "paksa", "mada", "somo",
		"제목", "主题", "主旨", "主題", "件名", "თემა", "საგანი", "թեմա", "ርዕስ":
		return roleSubject
	}
	return roleNone
}

// dividerWords knows what stands between the hyphens above a quoted mail, in
// lower case.
func dividerWords(words string) bool {
	switch words {
	case "original message", "original mail", "original e-mail", "original email", "original appointment", "reply message", "message", "quoted message",
		"ursprüngliche nachricht", "original-nachricht", "originalnachricht", "originale nachricht", "ursprüngliche mail", "oorspronkelijk bericht", "oorspronkelijke bericht", "origineel bericht", "oorspronklike boodskap", "originalbotschaft",
		"ursprungligt meddelande", "originalmeddelande", "ursprungligt mejl", "oprindelig meddelelse", "original meddelelse", "oprindelig besked", "original besked", "opprinnelig melding", "original melding", "opphavleg melding", "alkuperäinen viesti", "upprunaleg skilaboð", "upphaflegt skeyti", "upprunalegur póstur",
		"message d'origine", "message d’origine", "message original", "message initial", "mail original", "e-mail d'origine", "mensaje original", "correo original", "mensagem original", "e-mail original", "messaggio originale", "messaggio di origine", "messaggio originario", "missatge original", "mensaxe orixinal", "jatorrizko mezua", "mesaj original", "mesajul original", "mesaj inițial",
		"oryginalna wiadomość", "wiadomość oryginalna", "wiadomość pierwotna", "treść oryginalnej wiadomości", "původní zpráva", "původní e-mail", "původní mail", "pôvodná správa", "pôvodný e-mail", "izvirno sporočilo", "prvotno sporočilo", "izvorna poruka", "originalna poruka", "изворна порука", "оригинална порука", "оригинална порака", "originalno sporočilo",
		"оригинално съобщение", "оригинално писмо", "исходное сообщение", "исходное письмо", "оригинальное сообщение", "первоначальное сообщение", "вихідне повідомлення", "оригінальне повідомлення", "початкове повідомлення", "зыходны ліст", "арыгінальнае паведамленне",
		"eredeti üzenet", "algne kiri", "originaalkiri", "algne sõnum", "algsõnum", "sākotnējais ziņojums", "oriģinālais ziņojums", "sākotnējā vēstule", "originalus laiškas", "pradinis laiškas", "pirminis pranešimas", "αρχικό μήνυμα", "orijinal mesaj", "özgün ileti", "orijinal ileti", "özgün mesaj", "orijinal məktub", "mesazhi origjinal", "mesazhi fillestar",
		"neges wreiddiol", "teachtaireacht bhunaidh", "bunteachtaireacht", "საწყისი წერილი", "თავდაპირველი შეტყობინება", "սկզբնական հաղորդագրություն", "бастапқы хабар",
		"הודעה מקורית", "ההודעה המקורית", "رسالة أصلية", "الرسالة الأصلية", "الرسالة الاصلية", "الرسالة الأصليَّة", "پیام اصلی", "نامه اصلی", "اصل پیغام", "मूल संदेश", "মূল বার্তা", "அசல் செய்தி", "అసలు సందేశం", "ข้อความต้นฉบับ", "ข้อความเดิม", "thư gốc", "tin nhắn gốc", "pesan asli", "pesan awal", "mesej asal", "orihinal na mensahe", "ujumbe wa asili",
		"原始邮件", "原始郵件", "原邮件", "邮件原件", "原始信息", "原始訊息", "原始消息", "回复的邮件", "回覆的郵件", "元のメッセージ", "元のメール", "オリジナルメッセージ", "원본 메일", "원본 메시지", "원본메일", "원본 이메일":
		return true
	case "forwarded message", "forwarded mail", "forwarded email", "forwarded by",
		"weitergeleitete nachricht", "weitergeleitet", "weitergeleitete mail", "doorgestuurd bericht", "doorgestuurde bericht", "aangestuurde boodskap",
		"vidarebefordrat meddelande", "vidarebefordrat mejl", "vidarebefordrat", "videresendt meddelelse", "videresendt besked", "videresendt melding", "videresendt e-post", "vidaresendt melding", "välitetty viesti", "edelleenlähetetty viesti", "framsent skeyti", "áframsend skilaboð",
		"message transféré", "message réexpédié", "courriel transféré", "mensaje reenviado", "mensagem encaminhada", "mensagem reencaminhada", "messaggio inoltrato", "inoltrato", "missatge reenviat", "mensaxe reenviada", "birbidalitako mezua", "mesaj redirecționat", "mesaj retrimis",
		"wiadomość przekazana dalej", "przekazana wiadomość", "wiadomość przekazana", "treść przekazanej wiadomości", "přeposlaná zpráva", "přeposlaný e-mail", "preposlaná správa", "posredovano sporočilo", "proslijeđena poruka", "proslijeđeno", "prosleđena poruka", "прослеђена порука", "препратена порака",
		"препратено съобщение", "препратено писмо", "пересланное сообщение", "пересылаемое сообщение", "пересланное письмо", "пересылаемое письмо", "переслане повідомлення", "переслане письмо", "перасланае паведамленне", "továbbított üzenet", "edastatud kiri", "edastatud sõnum", "pārsūtīts ziņojums", "pārsūtītais ziņojums", "pārsūtītā vēstule", "persiųstas laiškas", "persiunčiamas laiškas", "προωθημένο μήνυμα", "προωθούμενο μήνυμα",
		"yönlendirilmiş ileti", "yönlendirilen ileti", "iletilen mesaj", "iletilmiş mesaj", "yönləndirilmiş məktub", "mesazh i përcjellë", "mesazhi i përcjellë", "neges wedi'i hanfon ymlaen", "neges wedi’i hanfon ymlaen", "teachtaireacht curtha ar aghaidh", "გადაგზავნილი წერილი", "փոխանցված հաղորդագրություն", "қайта бағытталған хабар",
		"הודעה שהועברה", "הודעה מועברת", "رسالة محولة", "رسالة معاد توجيهها", "الرسالة المعاد توجيهها", "پیام بازارسالشده", "پیام هدایت شده", "आगे भेजा गया संदेश", "अग्रेषित संदेश", "ফরোয়ার্ড করা বার্তা", "ข้อความที่ส่งต่อ", "thư được chuyển tiếp", "thư chuyển tiếp", "tin nhắn đã chuyển tiếp", "pesan terusan", "pesan yang diteruskan", "mesej dipanjangkan", "mesej yang dimajukan", "ipinasang mensahe",
		"转发的邮件", "转发邮件", "轉寄郵件", "轉寄的郵件", "转发的信息", "轉寄訊息", "転送メッセージ", "転送されたメッセージ", "転送メール", "전달된 메일", "전달된 메시지", "전달된 이메일":
		return true
	}
	return false
}

// beginsForward knows the lines above a mail that is passed on which stand
// without hyphens, in lower case.
func beginsForward(words string) bool {
	switch words {
	case "begin forwarded message", "begin forwarded mail", "anfang der weitergeleiteten nachricht", "beginn der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail", "begin doorgestuurd bericht",
		"vidarebefordrat brev", "vidarebefordrat meddelande", "start på videresendt besked", "videresendt meddelelse", "videresendt melding", "start på videresendt melding", "välitetty viesti alkaa", "välitetyn viestin alku",
		"début du message réexpédié", "début du message transféré", "début du courriel transféré", "inicio del mensaje reenviado", "início da mensagem reenviada", "início da mensagem encaminhada", "início da mensagem reencaminhada", "inizio messaggio inoltrato", "inizio del messaggio inoltrato", "inici del missatge reenviat", "începe mesajul redirecționat", "început mesaj redirecționat",
		"początek przekazywanej wiadomości", "rozpoczęcie przekazanej wiadomości", "začátek přeposílané zprávy", "začátek přeposlané zprávy", "začiatok preposlanej správy", "započni proslijeđenu poruku", "početak proslijeđene poruke", "начало переадресованного сообщения", "начало пересылаемого сообщения", "початок переадресованого повідомлення", "початок листа, що пересилається",
		"továbbított levél kezdete", "továbbított üzenet kezdete", "αρχή προωθημένου μηνύματος", "έναρξη προωθημένου μηνύματος", "iletilen mesajın başlangıcı", "başlangıç iletilen mesaj", "תחילת ההודעה שהועברה", "תחילת הודעה שהועברה", "بداية الرسالة المعاد توجيهها", "بدء الرسالة المُعاد توجيهها", "เริ่มข้อความที่ส่งต่อ", "bắt đầu thư được chuyển tiếp", "mulai pesan terusan", "awal pesan terusan", "mulakan mesej dimajukan",
		"开始转发的邮件", "已转发的邮件", "以下是转发的邮件", "開始轉寄郵件", "以下是轉寄的郵件", "転送されたメッセージ", "転送するメッセージ", "전달된 메시지", "전달된 메시지의 시작":
		return true
	}
	return false
}
