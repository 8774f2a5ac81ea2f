package incoming

import "testing"

// What programs write in HTML arrives here as lines, and often without an
// empty one between the answer and what follows.
func TestSplitOfHTML(t *testing.T) {
	for name, body := range map[string]string{
		"Gmail": `<div dir="ltr">Works now.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Sun, May 3, 2026 at 10:14 AM Ana Berg &lt;<a href="mailto:ana@desk.example">ana@desk.example</a>&gt; wrote:<br></div>` +
			`<blockquote class="gmail_quote"><p>##- Please write above this line -##</p><div>Does it?</div></blockquote></div>`,
		"Gmail with a signature": `<div dir="ltr">Works now.<br clear="all"><span class="gmail_signature_prefix">-- </span><br><div class="gmail_signature">Bo Lind<br>Customer AB</div></div>` +
			`<div class="gmail_quote"><div class="gmail_attr">Am So., 3. Mai 2026 um 10:14 Uhr schrieb Ana Berg &lt;<a href="mailto:ana@desk.example">ana@desk.example</a>&gt;:<br></div><blockquote>Hallo</blockquote></div>`,
		"Apple Mail": `<body dir="auto">Works now.<br><br><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">On 3 May 2026, at 10:14, Ana Berg &lt;ana@desk.example&gt; wrote:<br><br></blockquote></div>` +
			`<blockquote type="cite"><div dir="ltr">Does it?</div></blockquote></body>`,
		"Outlook": `<div class="WordSection1"><p class="MsoNormal">Works now.</p><div style="border:none;border-top:solid #E1E1E1 1.0pt"><p class="MsoNormal"><b>From:</b> Ana Berg &lt;ana@desk.example&gt;<br><b>Sent:</b> Sunday, May 3, 2026 10:14 AM<br>` +
			`<b>To:</b> Bo Lind<br><b>Subject:</b> Printer</p></div><p class="MsoNormal">Does it?</p></div>`,
		"Outlook on a phone": `<div>Works now.</div><div id="ms-outlook-mobile-signature">Get <a href="https://aka.example/o0ukef">Outlook for iOS</a></div><hr><div id="divRplyFwdMsg"><b>Från:</b> Ana Berg<br><b>Skickat:</b> den 3 maj 2026 10:14<br>` +
			`<b>Till:</b> Bo<br><b>Ämne:</b> Skrivaren</div>Gör den?`,
		"Proton Mail": `<div>Works now.</div><div class="protonmail_signature_block">Sent with <a href="https://mail.example/home">Proton Mail</a> secure email.</div>` +
			`<div class="protonmail_quote">On Sunday, May 3rd, 2026 at 10:14 AM, Ana Berg &lt;ana@desk.example&gt; wrote:<br><blockquote type="cite">Does it?</blockquote></div>`,
		"Yahoo":            `<div>Works now.</div><div class="yahoo_quoted"><div>On Sunday, May 3, 2026 at 10:14:00 AM GMT+2, Ana Berg &lt;ana@desk.example&gt; wrote: </div><div>Does it?</div></div>`,
		"Yahoo on a phone": `Works now.<br><br><div id="ymail_android_signature"><a href="https://go.example/1">Sent from Yahoo Mail on Android</a></div><blockquote><div>On Sun, 3 May 2026 at 10:14, Ana Berg</div><div>&lt;ana@desk.example&gt; wrote:</div><div>Does it?</div></blockquote>`,
		"Samsung": `<div dir="auto">Works now.</div><div id="composer_signature"><div dir="auto">Sent from my Galaxy</div></div><div>-------- Original message --------</div><div>From: Ana Berg &lt;ana@desk.example&gt;</div>` +
			`<div>Date: 03/05/2026 10:14 (GMT+01:00)</div><div>Subject: Printer</div>Does it?`,
		"Windows Mail":       `<div>Works now.</div><div>Sent from <a href="https://go.example/550986">Mail</a> for Windows</div><div><b>From: </b><a href="mailto:ana@desk.example">Ana Berg</a><br><b>Sent: </b>Sunday, May 3, 2026 10:14<br><b>Subject: </b>Printer</div>Does it?`,
		"Thunderbird, below": `<div class="moz-cite-prefix">Le 03/05/2026 à 10:14, Ana Berg a écrit :<br></div><blockquote type="cite">Does it?<br></blockquote><p>Works now.</p>`,
	} {
		m := Parse([]byte("From: bo@customer.example\nSubject: Re: Printer\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n" + body + "\n"))
		if m.Text != "Works now." {
			t.Errorf("%s: visible is\n%s\n---- and quoted\n%s", name, m.Text, m.Quoted)
		}
	}
}
