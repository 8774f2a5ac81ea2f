package incoming

import (
	"net/textproto"
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

// headerOf reads "Name: value" lines as the parser hands them over.
func headerOf(t *testing.T, lines ...string) textproto.MIMEHeader {
	t.Helper()
	h := textproto.MIMEHeader{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("%q is no header", line)
		}
		h.Add(name, strings.TrimPrefix(value, " "))
	}
	return h
}

func TestAutoOfHeaders(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  portal.AutoMark
	}{
		{"a person's", []string{"Subject: Printer", "X-Mailer: Apple Mail (2.3774)"}, portal.AutoNone},
		{"auto-replied", []string{"Auto-Submitted: auto-replied"}, portal.AutoSubmitted},
		{"auto-generated", []string{"Auto-Submitted: Auto-Generated; type=note"}, portal.AutoSubmitted},
		{"auto-notified", []string{"Auto-Submitted: auto-notified; owner-email=\"ana@customer.example\""}, portal.AutoSubmitted},
		{"vacation", []string{"auto-submitted: auto-replied (vacation)"}, portal.AutoSubmitted},
		{"an unknown word", []string{"Auto-Submitted: robot"}, portal.AutoSubmitted},
		{"not automatic", []string{"Auto-Submitted: no"}, portal.AutoNone},
		{"not automatic, with a comment", []string{"Auto-Submitted: NO (a person)"}, portal.AutoNone},
		{"empty", []string{"Auto-Submitted:"}, portal.AutoNone},
		{"no, then yes", []string{"Auto-Submitted: no", "Auto-Submitted: auto-replied"}, portal.AutoSubmitted},
		{"null path", []string{"Return-Path: <>"}, portal.AutoNullPath},
		{"null path with space", []string{"Return-Path:  <> "}, portal.AutoNullPath},
		{"a path", []string{"Return-Path: <ana@customer.example>"}, portal.AutoNone},
		{"null path before the rest", []string{"Return-Path: <>", "Auto-Submitted: auto-replied"}, portal.AutoNullPath},
		{"List-Id", []string{"List-Id: <users.list.example>"}, portal.AutoList},
		{"List-Unsubscribe", []string{"List-Unsubscribe: <mailto:leave@list.example>"}, portal.AutoList},
		{"List-Post", []string{"List-Post: NO"}, portal.AutoList},
		{"List-Help", []string{"List-Help: <https://list.example>"}, portal.AutoList},
		{"Mailing-List", []string{"Mailing-list: list users@list.example; contact owner@list.example"}, portal.AutoList},
		{"X-BeenThere", []string{"X-BeenThere: users@list.example"}, portal.AutoList},
		{"bulk", []string{"Precedence: bulk"}, portal.AutoPrecedence},
		{"junk", []string{"Precedence: junk"}, portal.AutoPrecedence},
		{"list", []string{"precedence: LIST"}, portal.AutoPrecedence},
		{"auto_reply", []string{"Precedence: auto_reply"}, portal.AutoPrecedence},
		{"X-Precedence", []string{"X-Precedence: bulk"}, portal.AutoPrecedence},
		{"first-class", []string{"Precedence: first-class"}, portal.AutoNone},
		{"X-Autoreply", []string{"X-Autoreply: yes"}, portal.AutoReply},
		{"X-Autoreply: no", []string{"X-Autoreply: no"}, portal.AutoNone},
		{"X-Autorespond", []string{"X-Autorespond: Re: Printer"}, portal.AutoReply},
		{"X-AutoReply-From", []string{"X-AutoReply-From: ana@customer.example"}, portal.AutoReply},
		{"X-FC-MachineGenerated", []string{"X-FC-MachineGenerated: true"}, portal.AutoReply},
		{"X-POST-MessageClass", []string{"X-POST-MessageClass: 9; Autoresponder"}, portal.AutoReply},
		{"X-POST-MessageClass of a person", []string{"X-POST-MessageClass: 1"}, portal.AutoNone},
		{"Delivered-To: Autoresponder", []string{"Delivered-To: desk@example.com", "Delivered-To: Autoresponder"}, portal.AutoReply},
		{"X-Amazon-Auto-Reply", []string{"X-Amazon-Auto-Reply: true"}, portal.AutoReply},
		{"Exchange's own", []string{"X-MS-Exchange-Generated-Message-Source: Mailbox Rules Agent"}, portal.AutoReply},
		{"a vacation program", []string{"X-Mailer: vacation 1.2.7.1"}, portal.AutoReply},
		{"cron", []string{"X-Cron-Env: <SHELL=/bin/sh>"}, portal.AutoReply},
		{"X-Loop: yes", []string{"X-Loop: yes"}, portal.AutoReply},
		{"a forwarding rule", []string{"X-Loop: ana@customer.example"}, portal.AutoNone},
		{"what is not wanted back", []string{"X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply"}, portal.AutoNone},
		{"nothing is wanted back", []string{"X-Auto-Response-Suppress: All"}, portal.AutoNone},
		{"an inbox rule passed it on", []string{"X-MS-Exchange-Inbox-Rules-Loop: ana@customer.example"}, portal.AutoNone},
		{"Exchange's out of office", []string{"X-Auto-Response-Suppress: All", "X-MS-Exchange-Inbox-Rules-Loop: ana@customer.example"}, portal.AutoReply},
		{"a provider's feedback id", []string{"Feedback-ID: 1.eu-west-1.abc=:AmazonSES"}, portal.AutoNone},
		{"a delivery report nobody could read", []string{"Content-Type: multipart/report; report-type=delivery-status; boundary=x"}, portal.AutoBounce},
		{"a read receipt", []string{"Content-Type: multipart/report; report-type=disposition-notification; boundary=x"}, portal.AutoReply},
		{"a complaint", []string{`Content-Type: multipart/report; report-type="feedback-report"; boundary=x`}, portal.AutoReply},
		{"a report of an unknown kind", []string{"Content-Type: Multipart/Report; boundary=x"}, portal.AutoReply},
		{"a report with broken parameters", []string{"Content-Type: multipart/report; report-type; =x"}, portal.AutoReply},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &portal.Incoming{From: []portal.MailAddress{{Address: "ana@customer.example"}}, Subject: "Printer"}
			if got := autoOf(headerOf(t, tt.lines...), m); got != tt.want {
				t.Errorf("%q: %q, wanted %q", tt.lines, got, tt.want)
			}
		})
	}
}

func TestAutoOfSenders(t *testing.T) {
	machines := []string{
		"mailer-daemon@mx.example", "MAILER-DAEMON@mx.example", "mailer_daemon@mx.example",
		"postmaster@customer.example", "noreply@shop.example", "no-reply@shop.example",
		"no.reply@shop.example", "no_reply@shop.example", "noreply+orders@shop.example",
		"noreply2@shop.example", "orders-noreply@shop.example", "order-no-reply@shop.example",
		"do-not-reply@shop.example", "donotreply@shop.example", "dont-reply@shop.example",
		"bounce+1=x@list.example", "bounces-12@list.example", "autoresponder@shop.example",
		"auto-reply@shop.example", "svara-inte@butik.example", "svarainte@butik.example",
		"ikke-svar@butik.example", "nicht-antworten@laden.example", "bitte-nicht-antworten@laden.example",
		"ne-pas-repondre@boutique.example", "nepasrepondre@boutique.example", "no-responder@tienda.example",
		"nao-responda@loja.example", "nonrispondere@negozio.example", "niet-beantwoorden@winkel.example",
		"nie-odpowiadaj@sklep.example", "neodpovidejte@obchod.example",
	}
	people := []string{
		"ana@customer.example", "keno.reply@customer.example", "noor@customer.example",
		"root@customer.example", "info@customer.example", "support@shop.example",
		"reply@customer.example", "no@customer.example", "daemon.smith@customer.example",
		"postmaster.jones@customer.example", "nora.reply.no@customer.example", "",
		"noreplyson@customer.example", "ana@noreply.example", "newsletter@customer.example",
	}
	mark := func(m *portal.Incoming) portal.AutoMark { return autoOf(textproto.MIMEHeader{}, m) }
	for _, address := range machines {
		if got := mark(&portal.Incoming{From: []portal.MailAddress{{Address: address}}}); got != portal.AutoDaemon {
			t.Errorf("from %s: %q, wanted %q", address, got, portal.AutoDaemon)
		}
	}
	for _, address := range people {
		if got := mark(&portal.Incoming{From: []portal.MailAddress{{Address: address}}}); got != portal.AutoNone {
			t.Errorf("from %s: %q, wanted a person", address, got)
		}
	}
	path := &portal.Incoming{
		From:       []portal.MailAddress{{Address: "ana@customer.example"}},
		ReturnPath: "mailer-daemon@mx.example", HasReturnPath: true,
	}
	if got := mark(path); got != portal.AutoDaemon {
		t.Errorf("sent from a mail server's address: %q", got)
	}
	// People send through services that take the bounces for them.
	path.ReturnPath = "no-reply@relay.example"
	if got := mark(path); got != portal.AutoNone {
		t.Errorf("sent through a relay: %q", got)
	}
	path.ReturnPath = ""
	if got := mark(path); got != portal.AutoNullPath {
		t.Errorf("the null path: %q", got)
	}
	path.Bounce = &portal.Bounce{}
	if got := mark(path); got != portal.AutoBounce {
		t.Errorf("a bounce: %q", got)
	}
}

func TestAutoOfSubjects(t *testing.T) {
	automatic := []string{
		"Automatic reply: Printer", "Automatic Reply", "AUTOMATIC REPLY: Printer",
		"Out of office", "Out of Office: Re: Printer", "Out of Office AutoReply: Printer",
		"Out of Office Re: Printer", "Auto-Reply - Printer", "Auto: Re: Printer",
		"Automatiskt svar: Skrivaren", "Frånvaromeddelande: Skrivaren", "Autosvar: Printeren",
		"Automatisk svar: Printeren", "Automaattinen vastaus: Tulostin", "Sjálfvirkt svar: Prentari",
		"Automatische Antwort: Drucker", "Abwesenheitsnotiz: Drucker", "Abwesenheit: Re: Drucker", "Abwesend: AW: Drucker",
		"Automatisch antwoord: Printer", "Réponse automatique : Imprimante", "Re\u0301ponse automatique : Imprimante",
		"Respuesta automática: Impresora", "Resposta automática: Impressora", "Resposta automàtica: Impressora",
		"Risposta automatica: Stampante", "Erantzun automatikoa: Inprimagailua", "Răspuns automat: Imprimanta",
		"Odpowiedź automatyczna: Drukarka", "Automatická odpověď: Tiskárna", "Automatická odpoveď: Tlačiareň",
		"Samodejni odgovor: Tiskalnik", "Automatski odgovor: Pisač", "Аутоматски одговор: Штампач",
		"Автоматски одговор: Печатач", "Автоматичен отговор: Принтер", "Автоматический ответ: Принтер", "Автоматична відповідь: Принтер",
		"Аўтаматычны адказ: Прынтар", "Automatikus válasz: Nyomtató", "Automaatvastus: Printer",
		"Automātiska atbilde: Printeris", "Automatinis atsakymas: Spausdintuvas", "Αυτόματη απάντηση: Εκτυπωτής",
		"Otomatik yanıt: Yazıcı", "Përgjigje automatike: Printeri", "Ateb awtomatig: Argraffydd",
		"Freagra Uathoibríoch: Printéir", "ავტომატური პასუხი: პრინტერი", "Ավտոմատ պատասխան: Տպիչ",
		"Avtomatik cavab: Printer", "תשובה אוטומטית: מדפסת", "رد تلقائي: الطابعة", "پاسخ خودکار: چاپگر",
		"स्वचालित उत्तर: प्रिंटर", "ตอบกลับอัตโนมัติ: เครื่องพิมพ์", "Trả lời tự động: Máy in",
		"Balasan otomatis: Printer", "Balasan automatik: Pencetak", "自动回复: 打印机", "自動回覆:印表機",
		"自動応答:プリンター", "자동 회신: 프린터",
	}
	people := []string{
		"Re: Out of office", "Printer out of office", "Out of office chairs", "Automatic replyer broken",
		"Auto: Reifenwechsel am Montag", "Abwesenheit: wie trage ich sie ein?", "Absence de facture",
		"Urlaub: mein Konto", "Re: Automatic reply: Printer", "Ferie", "Autosvaret fungerar inte", "", "Vacation rental",
	}
	mark := func(m *portal.Incoming) portal.AutoMark { return autoOf(textproto.MIMEHeader{}, m) }
	for _, subject := range automatic {
		if got := mark(&portal.Incoming{Subject: subject}); got != portal.AutoSubject {
			t.Errorf("%q: %q, wanted %q", subject, got, portal.AutoSubject)
		}
	}
	for _, subject := range people {
		if got := mark(&portal.Incoming{Subject: subject}); got != portal.AutoNone {
			t.Errorf("%q: %q, wanted a person's", subject, got)
		}
	}
	// The same word before a colon is automatic where it answers a mail.
	answer := &portal.Incoming{Subject: "Abwesenheit: Drucker", InReplyTo: []string{"1@desk.example"}}
	if got := mark(answer); got != portal.AutoSubject {
		t.Errorf("%q in an answer: %q", answer.Subject, got)
	}
	answer.Subject = "Auto auf dem Parkplatz"
	if got := mark(answer); got != portal.AutoNone {
		t.Errorf("%q in an answer: %q", answer.Subject, got)
	}
}
