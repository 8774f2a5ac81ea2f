package incoming

import (
	"strings"
	"testing"
)

// Introductions as mail programs write them that leave the address out, so
// that only the date and the word for "wrote" tell.
func TestSplitKnowsIntroductionsOfManyLanguages(t *testing.T) {
	for _, intro := range []string{
		"On 03/05/2026 10:14, Ana Berg wrote:", "On 5/3/26 10:14 AM, Ana Berg wrote:", "On Sun, 3 May 2026 10:14:00 +0200, Ana Berg wrote:",
		"Am 03.05.2026 um 10:14 schrieb Ana Berg:", "Am Sonntag, den 03.05.2026, 10:14 +0200 schrieb Ana Berg:",
		"Op 03-05-2026 om 10:14 schreef Ana Berg:", "Op 03-05-2026 om 10:14 skreau Ana Berg:", "Op 2026-05-03 om 10:14 het Ana Berg geskryf:",
		"Den 2026-05-03 kl. 10:14, skrev Ana Berg:", "On 2026-05-03 10:14, Ana Berg skrev:", "Den 03.05.2026 10.14, skrev Ana Berg:",
		"Den 03.05.2026 10:14, skreiv Ana Berg:", "Ana Berg kirjoitti 3.5.2026 klo 10.14:", "Þann 3.5.2026 10:14, skrifaði Ana Berg:",
		"Le 03/05/2026 à 10:14, Ana Berg a écrit :", "Il 03/05/2026 10:14, Ana Berg ha scritto:", "El 03/05/2026 a las 10:14, Ana Berg escribió:",
		"Em 03/05/2026 10:14, Ana Berg escreveu:", "Às 10:14 de 03/05/2026, Ana Berg escreveu:", "El 3/5/26 a les 10:14, Ana Berg ha escrit:",
		"O 03/05/2026 ás 10:14, Ana Berg escribiu:", "Ana Berg(e)k igorleak hau idatzi zuen (2026/05/03 10:14):", "La 03.05.2026 10:14, Ana Berg a scris:",
		"W dniu 3.05.2026 o 10:14, Ana Berg pisze:", "Dne 03. 05. 26 v 10:14 Ana Berg napsal(a):", "Dňa 3. 5. 2026 o 10:14 Ana Berg napísal(a):",
		"Dne 3. 05. 26 ob 10:14 je Ana Berg napisal(a):", "Dana 3. 5. 2026. u 10:14, Ana Berg je napisao/la:", "Дана 3.5.26. у 10:14, Ana Berg је написао(ла):",
		"На 3.5.2026 во 10:14, Ana Berg напиша:", "На 3.05.26 г. в 10:14, Ana Berg написа:", "03.05.2026 10:14, Ana Berg пишет:",
		"03.05.26 10:14, Ana Berg пише:", "03.05.2026 10:14, Ana Berg піша:", "2026. 05. 03. 10:14 keltezéssel, Ana Berg írta:",
		"Kuupäeval 03.05.2026 10:14 kirjutas Ana Berg:", "3.05.2026. 10:14 Ana Berg rakstīja:", "2026-05-03 10:14, Ana Berg rašė:",
		"Στις 3/5/2026 10:14 π.μ., ο/η Ana Berg έγραψε:", "3.05.2026 10:14 tarihinde Ana Berg yazdı:", "Më 03.05.2026 10:14, Ana Berg shkroi:",
		"03.05.2026 10:14, Ana Berg წერს:", "03.05.2026 10:14-ին, Ana Berg-ը գրել է.", "03.05.2026 10:14, Ana Berg жазды:",
		"ב-03/05/2026 10:14, Ana Berg כתב:", "في 3/5/2026 10:14 ص، كتب Ana Berg:", "در ۲۰۲۶/۵/۳ ۱۰:۱۴, Ana Berg نوشت:", "3/5/2026 10:14 کو Ana Berg نے لکھا:",
		"3/5/2026 10:14 को Ana Berg ने लिखा:", "৩/৫/২০২৬ ১০:১৪ এ Ana Berg লিখেছেন:", "3/5/2026 10:14 அன்று Ana Berg எழுதியது:",
		"เมื่อ 3/5/2026 10:14, Ana Berg เขียน:", "Vào lúc 10:14 03/05/2026, Ana Berg đã viết:", "Pada 03/05/2026 10.14, Ana Berg menulis:",
		"在 2026/5/3 10:14, Ana Berg 写道:", "於 2026/5/3 10:14, Ana Berg 寫道:", "2026/05/03 10:14、Ana Bergのメール:", "2026-05-03 오전 10:14에 Ana Berg 이(가) 쓴 글:",
		"Ar 03/05/2026 10:14, ysgrifennodd Ana Berg:", "Ar 03/05/2026 10:14, scríobh Ana Berg:", "Je 2026-05-03 10:14, Ana Berg skribis:",
		"Ana Berg wrote on 03/05/2026 10:14:", "Ana Berg schrieb am 03.05.2026 um 10:14 Uhr:", "Ana Berg skrev den 2026-05-03 10:14:",
	} {
		for _, below := range []string{intro + "\n> Hello\n>\n> Ana", intro + "\n\n> Hello", intro + "\n\nHello\n\nAna"} {
			visible, quoted := split("Thanks!\n\nBo\n\n" + below)
			if visible != "Thanks!\n\nBo" || quoted != below {
				t.Errorf("of\n%s\nvisible is\n%s", below, visible)
			}
		}
		// Programs break long lines where they please. A name alone on its line
		// would be too little to tell it from an answer.
		words := strings.Fields(intro)
		if words[0] == "Ana" {
			words = append([]string{strings.Join(words[:5], " ")}, words[5:]...)
		}
		if last := len(words) - 1; words[last] == "է." { // "is", the end of "has written"
			words = append(words[:last-1], words[last-1]+" "+words[last])
		}
		for at := 2; at < len(words); at++ {
			broken := strings.Join(words[:at], " ") + "\n" + strings.Join(words[at:], " ") + "\n\n> Hello"
			if visible, quoted := split("Thanks!\n\n" + broken); visible != "Thanks!" || quoted != broken {
				t.Errorf("of\n%s\nvisible is\n%s", broken, visible)
			}
		}
	}
}
