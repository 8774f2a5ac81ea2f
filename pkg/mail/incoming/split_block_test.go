package incoming

import (
	"strings"
	"testing"
)

// The labels Outlook and others write above what they quote: sender, date,
// recipient, subject.
func TestSplitKnowsHeadersOfManyLanguages(t *testing.T) {
	for language, labels := range map[string]string{
		"Afrikaans": "Van|Gestuur|Aan|Onderwerp", "Albanian": "Nga|Dërguar|Për|Subjekti", "Arabic": "من|تاريخ الإرسال|إلى|الموضوع",
		"Azerbaijani": "Kimdən|Göndərilib|Kimə|Mövzu", "Basque": "Nork|Bidalia|Nori|Gaia", "Bulgarian": "От|Изпратено|До|Относно",
		"Catalan": "De|Enviat|Per a|Assumpte", "Chinese": "发件人|发送时间|收件人|主题", "Chinese of Taiwan": "寄件者|寄件日期|收件者|主旨",
		"Croatian": "Od|Poslano|Za|Naslov", "Czech": "Od|Odesláno|Komu|Předmět", "Danish": "Fra|Sendt|Til|Emne",
		"Dutch": "Van|Verzonden|Aan|Onderwerp", "English": "From|Sent|To|Subject", "Estonian": "Saatja|Saadetud|Saaja|Teema",
		"Finnish": "Lähettäjä|Lähetetty|Vastaanottaja|Aihe", "French": "De|Envoyé|À|Objet", "Galician": "De|Enviado|Para|Asunto",
		"German": "Von|Gesendet|An|Betreff", "Greek": "Από|Στάλθηκε|Προς|Θέμα", "Hebrew": "מאת|נשלח|אל|נושא",
		"Hindi": "प्रेषक|भेजा गया|प्रति|विषय", "Hungarian": "Feladó|Elküldve|Címzett|Tárgy", "Icelandic": "Frá|Sent|Til|Efni",
		"Indonesian": "Dari|Dikirim|Kepada|Subjek", "Irish": "Ó|Seolta|Chuig|Ábhar", "Italian": "Da|Inviato|A|Oggetto",
		"Japanese": "差出人|送信日時|宛先|件名", "Korean": "보낸 사람|보낸 날짜|받는 사람|제목", "Latvian": "No|Nosūtīts|Kam|Temats",
		"Lithuanian": "Nuo|Išsiųsta|Kam|Tema", "Macedonian": "Од|Испратено|До|Наслов", "Malay": "Daripada|Dihantar|Kepada|Subjek",
		"Norwegian": "Fra|Sendt|Til|Emne", "Nynorsk": "Frå|Sendt|Til|Emne", "Persian": "از|ارسال شده|به|موضوع",
		"Polish": "Od|Wysłano|Do|Temat", "Portuguese": "De|Enviado|Para|Assunto", "Portuguese of Brazil": "De|Enviada em|Para|Assunto",
		"Romanian": "De la|Trimis|Către|Subiect", "Russian": "От|Отправлено|Кому|Тема", "Serbian": "Од|Послато|За|Наслов",
		"Slovak": "Od|Odoslané|Komu|Predmet", "Slovene": "Od|Poslano|Za|Zadeva", "Spanish": "De|Enviado el|Para|Asunto",
		"Swahili": "Kutoka|Imetumwa|Kwa|Mada", "Swedish": "Från|Skickat|Till|Ämne", "Thai": "จาก|ส่งเมื่อ|ถึง|เรื่อง",
		"Turkish": "Kimden|Gönderildi|Kime|Konu", "Ukrainian": "Від|Надіслано|Кому|Тема", "Urdu": "منجانب|بتاریخ|بنام|موضوع",
		"Vietnamese": "Từ|Đã gửi|Tới|Chủ đề", "Welsh": "Oddi wrth|Anfonwyd|At|Pwnc",
	} {
		names := strings.Split(labels, "|")
		// No address and no rule: as it looks between two people of one company.
		block := names[0] + ": Ana Berg\n" + names[1] + ": 3/5/2026 10:14\n" + names[2] + ": Bo Lind\n" + names[3] + ": Printer\n\nHello"
		for _, text := range []string{block, "*" + strings.ReplaceAll(block, ":", ":*"), strings.ReplaceAll(block, ":", " :"), strings.ReplaceAll(block, ":", "\uff1a")} {
			visible, quoted := split("Thanks!\n\n" + text)
			if visible != "Thanks!" || quoted != text {
				t.Errorf("%s: of\n%s\nvisible is\n%s", language, text, visible)
			}
		}
		// Half of it is what anybody may write.
		half := "Thanks!\n\n" + names[2] + ": Bo Lind\n" + names[3] + ": Printer\n\nHello"
		if visible, quoted := split(half); visible != half || quoted != "" {
			t.Errorf("%s: half a header folds\n%s", language, quoted)
		}
	}
}

func TestSplitKnowsDividersOfManyLanguages(t *testing.T) {
	for _, words := range []string{
		"Original Message", "Ursprüngliche Nachricht", "Message d'origine", "Mensaje original", "Mensagem original",
		"Messaggio originale", "Oorspronkelijk bericht", "Ursprungligt meddelande", "Oprindelig meddelelse", "Opprinnelig melding",
		"Alkuperäinen viesti", "Oryginalna wiadomość", "Původní zpráva", "Pôvodná správa", "Eredeti üzenet", "Mesaj original",
		"Оригинално съобщение", "Исходное сообщение", "Вихідне повідомлення", "Orijinal Mesaj", "Αρχικό μήνυμα", "הודעה מקורית",
		"الرسالة الأصلية", "پیام اصلی", "मूल संदेश", "ข้อความต้นฉบับ", "Thư gốc", "Pesan asli", "原始邮件", "原始郵件", "元のメッセージ", "원본 메시지",
		"Forwarded message", "Weitergeleitete Nachricht", "Message transféré", "Mensaje reenviado", "Mensagem encaminhada",
		"Messaggio inoltrato", "Doorgestuurd bericht", "Vidarebefordrat meddelande", "Videresendt meddelelse", "Välitetty viesti",
		"Wiadomość przekazana dalej", "Přeposlaná zpráva", "Továbbított üzenet", "Пересланное сообщение", "İletilmiş mesaj", "轉寄郵件", "转发的邮件",
	} {
		for _, rule := range []string{"-----", "---------- ", "________ "} {
			divider := rule + words + strings.TrimSpace(rule)
			below := divider + "\nhello\n\nmore"
			if visible, quoted := split("Thanks!\n\n" + below); visible != "Thanks!" || quoted != below {
				t.Errorf("%s: visible is\n%s", divider, visible)
			}
		}
		// The words alone are no divider.
		alone := "Thanks!\n\n" + words + "\nhello"
		if visible, _ := split(alone); visible != alone {
			t.Errorf("%s without hyphens folds what is below", words)
		}
	}
}
