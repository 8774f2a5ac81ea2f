package transfer_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/transfer"
)

func keys(maps ...map[string]string) []string {
	var all []string
	for _, m := range maps {
		for k := range m {
			if !slices.Contains(all, k) {
				all = append(all, k)
			}
		}
	}
	slices.Sort(all)
	return all
}

func writeContacts(t testing.TB, list []transfer.Contact) []byte {
	t.Helper()
	var extras []map[string]string
	for _, c := range list {
		extras = append(extras, c.Properties)
	}
	var buf bytes.Buffer
	w, err := transfer.NewContactWriter(&buf, keys(extras...))
	for i := range list {
		if err == nil {
			err = w.Write(&list[i])
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func writeCompanies(t testing.TB, list []transfer.Company) []byte {
	t.Helper()
	var extras []map[string]string
	for _, c := range list {
		extras = append(extras, c.Properties)
	}
	var buf bytes.Buffer
	w, err := transfer.NewCompanyWriter(&buf, keys(extras...))
	for i := range list {
		if err == nil {
			err = w.Write(&list[i])
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func writeTickets(t testing.TB, list []transfer.Ticket) []byte {
	t.Helper()
	var extras []map[string]string
	for _, c := range list {
		extras = append(extras, c.Fields)
	}
	var buf bytes.Buffer
	w, err := transfer.NewTicketWriter(&buf, keys(extras...))
	for i := range list {
		if err == nil {
			err = w.Write(&list[i])
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// What only tells how a record was read, and not what it is.
var (
	sameContact = cmp.FilterPath(field("Line", "AllCompanies"), cmp.Ignore())
	sameTicket  = cmp.FilterPath(field("Line", "Described", "Continues", "NoCompany"), cmp.Ignore())
)

func field(names ...string) func(cmp.Path) bool {
	return func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && slices.Contains(names, f.Name())
	}
}

// empty makes nil and empty lists one, as a file does.
var empty = cmp.Options{
	cmp.FilterValues(func(a, b []transfer.ContactRef) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
	cmp.FilterValues(func(a, b []string) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
	cmp.FilterValues(func(a, b []transfer.CompanyRef) bool { return len(a)+len(b) == 0 }, cmp.Ignore()),
}

func TestExportReadsBackTheSame(t *testing.T) {
	at := time.Date(2026, 1, 31, 14, 5, 6, 789e6, time.UTC)
	acme := transfer.CompanyRef{Name: `A<c>me; \ Sons`, Domain: "acme.example", ExternalID: "i;d>7"}
	cs := []transfer.Contact{
		{
			Email: "a@x.example", Name: "=cmd|' /C calc'!A0", MemberEmail: "b@x.example", Language: "sv", TimeZone: "Europe/Stockholm",
			ExternalID: "-7", Primary: acme, Companies: []transfer.CompanyRef{{Name: "Globex"}, acme}, CreatedAt: at, UpdatedAt: at.Add(time.Hour),
			Properties: map[string]string{"phone": "+46 70 1", "note": "'=1\n\"two\";\tthree", "at": "@x", "minus": "''-", "department": "Åäö 💡"},
		},
		{Email: "c@x.example", Companies: []transfer.CompanyRef{{Name: "Globex"}}},
		{Email: "d@x.example"},
	}
	got, problems := contacts(t, writeContacts(t, cs), transfer.Options{})
	if diff := cmp.Diff(cs, got, sameContact, empty); diff != "" || len(problems) > 0 {
		t.Errorf("contacts do not read back: %q\n%s", problems, diff)
	}

	firms := []transfer.Company{
		{Name: "@home", Domain: "home.example", ExternalID: "1", CreatedAt: at, UpdatedAt: at, Properties: map[string]string{"city": "Malmö"}},
		{Name: "No domain"},
	}
	gotFirms, problems := companies(t, writeCompanies(t, firms))
	if diff := cmp.Diff(firms, gotFirms, sameContact, empty); diff != "" || len(problems) > 0 {
		t.Errorf("companies do not read back: %q\n%s", problems, diff)
	}

	ts := []transfer.Ticket{
		{
			Number: 1042, ExternalID: "9", Subject: "+1", Status: portal.Closed, Priority: portal.Urgent, Category: "Billing",
			Requester:    transfer.ContactRef{Email: "a@x.example", Name: "A"},
			Participants: []transfer.ContactRef{{Email: "b@x.example"}, {Email: "c@x.example"}},
			Company:      acme, Inbox: "Support", Portal: "help", Assignee: "mika@desk.example", Confidential: true,
			Fields: map[string]string{"order_number": "=7"}, CreatedAt: at, UpdatedAt: at, StatusAt: at, ClosedAt: at,
			Messages: []transfer.Message{
				{At: at, Kind: portal.Public, By: transfer.ByContact, Email: "a@x.example", Format: portal.Plain, Body: "\tindented\n\n= not a formula\n'", Files: []string{"a;b<c>.pdf", `back\slash`}},
				{At: at.Add(time.Minute), Kind: portal.Note, By: transfer.ByAgent, Email: "mika@desk.example", Format: portal.Markdown, Body: "  **watch out**"},
				{At: at.Add(time.Hour), Kind: portal.Public, Name: "Somebody", Format: portal.HTML, Body: "<p>hello"},
				{At: at.Add(time.Hour), Kind: portal.Public, By: transfer.ByContact, Email: "a@x.example", Format: portal.Plain, Files: []string{"only.png"}},
			},
		},
		{Number: 1043, Subject: "quiet", Status: portal.New, Priority: portal.Normal, Requester: transfer.ContactRef{Email: "a@x.example"}, CreatedAt: at},
	}
	gotTickets, problems := tickets(t, writeTickets(t, ts), transfer.Options{})
	if diff := cmp.Diff(ts, gotTickets, sameTicket, empty); diff != "" || len(problems) > 0 {
		t.Errorf("tickets do not read back: %q\n%s", problems, diff)
	}
}

func TestNoCellOfAnExportIsAFormula(t *testing.T) {
	list := []transfer.Company{{Name: "=1", Domain: "a.example", Properties: map[string]string{"a": "+1", "b": "-1", "c": "@x", "d": "'=1"}}}
	data := string(writeCompanies(t, list))
	for _, cell := range []string{",=", ",+", ",-", ",@", "\n=", ",'=1\n"} {
		if strings.Contains(data, cell) {
			t.Errorf("the export contains %q:\n%s", cell, data)
		}
	}
}

func TestManyMessagesComeInParts(t *testing.T) {
	ticket := transfer.Ticket{Number: 7, Subject: "long", Status: portal.New, Priority: portal.Normal, Requester: transfer.ContactRef{Email: "a@x.example"}}
	for i := range 450 {
		ticket.Messages = append(ticket.Messages, transfer.Message{At: time.UnixMilli(int64(i+1) * 60_000).UTC(), Kind: portal.Public, Format: portal.Plain, Body: "m"})
	}
	next := ticket
	next.Number, next.Messages = 8, ticket.Messages[:1]
	got, problems := tickets(t, writeTickets(t, []transfer.Ticket{ticket, next}), transfer.Options{})
	var parts []int
	var goesOn []bool
	for _, part := range got {
		parts, goesOn = append(parts, len(part.Messages)), append(goesOn, part.Continues)
	}
	same(t, "the parts", parts, []int{200, 200, 50, 1})
	same(t, "what goes on", goesOn, []bool{false, true, true, false})
	same(t, "the problems", problems, []string(nil))
}

func TestTicketWithABadMessageIsRejectedWhole(t *testing.T) {
	data := "number,subject,requester,message_at,message_kind,message_body\n" +
		"T-1,a,a@x.example,2026-01-01,public,one\nT-1,a,a@x.example,2026-01-02,,two\nT-2,b,a@x.example,2026-01-01,internal,three\n"
	r, err := transfer.NewTickets(strings.NewReader(data), int64(len(data)), transfer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	rejects, err := transfer.NewRejects(&buf, r.Header(), r.Comma(), r.Escaped())
	if err != nil {
		t.Fatal(err)
	}
	rec, err := r.Read()
	if err != nil || len(rec.Problems) != 1 || len(rec.Rows) != 2 {
		t.Fatalf("read as %+v, %v", rec, err)
	}
	if err := rejects.Add(rec.Rows, rec.Problems); err != nil {
		t.Fatal(err)
	}
	if rec, err = r.Read(); err != nil || len(rec.Problems) > 0 || rec.Value.Number != 2 {
		t.Fatalf("the next ticket was read as %+v, %v", rec, err)
	}
	if err := rejects.Flush(); err != nil {
		t.Fatal(err)
	}
	const want = "number,subject,requester,message_at,message_kind,message_body,line,reason\n" +
		"T-1,a,a@x.example,2026-01-01,public,one,2,the same ticket has a problem in line 3\n" +
		"T-1,a,a@x.example,2026-01-02,,two,3,message_kind: a message is public or internal; say which\n"
	same(t, "the rejects file", buf.String(), want)
}

func TestRejectsAreReadAgainAfterMending(t *testing.T) {
	original := "Record ID;First Name;Email;Note\n1;Åsa;nobody;=1+1\n2;B;b@x.example;'=fine\n3;C;;\n4;D;d@x.example;x;y\n"
	rejectAll := func(data string) string {
		r, err := transfer.NewContacts(strings.NewReader(data), int64(len(data)), transfer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		w, err := transfer.NewRejects(&buf, r.Header(), r.Comma(), r.Escaped())
		for err == nil {
			var rec transfer.Record[transfer.Contact]
			if rec, err = r.Read(); err == nil && len(rec.Problems) > 0 {
				err = w.Add(rec.Rows, rec.Problems)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		return buf.String()
	}
	first := rejectAll(original)
	const want = "Record ID;First Name;Email;Note;line;reason\n" +
		"1;Åsa;nobody;'=1+1;2;\"Email: \"\"nobody\"\" is not an e-mail address; write it like name@example.com\"\n" +
		"3;C;;;4;Email: the contact has no e-mail address\n" +
		"4;D;d@x.example;\"x;y\";5;the row has 5 cells, the first line has 4\n"
	same(t, "the rejects", first, want)
	// Once more: the earlier line and reason make room for the new ones.
	again := rejectAll(first)
	if strings.Count(again, "line;reason") != 1 || !strings.Contains(again, "1;Åsa;nobody;'=1+1;2;") || strings.Contains(again, "d@x.example") {
		t.Errorf("the rejects of the rejects are\n%s", again)
	}
	mended := strings.ReplaceAll(first, "nobody;", "asa@x.example;")
	got, problems := contacts(t, []byte(mended), transfer.Options{})
	if len(got) != 2 || len(problems) != 1 || got[0].Email != "asa@x.example" || got[0].Properties["note"] != "=1+1" || got[0].Properties["line"] != "" {
		t.Errorf("the mended file reads as %+v, %q", got, problems)
	}
}

func TestTicketsWithoutAnIDGetOneFromWhatTheySay(t *testing.T) {
	data := []byte("subject,requester,created_at\na,a@x.example,2026-01-01\nb,a@x.example,2026-01-01\na,a@x.example,2026-01-01\n")
	got, problems := tickets(t, data, transfer.Options{})
	if len(got) != 3 || len(problems) > 0 {
		t.Fatalf("read as %v, %q", got, problems)
	}
	if a, b := got[0].ExternalID, got[1].ExternalID; a == "" || a == b || a != got[2].ExternalID {
		t.Errorf("the ids are %q, %q and %q", a, b, got[2].ExternalID)
	}
}

func TestJSONIsOneArray(t *testing.T) {
	var buf bytes.Buffer
	w := transfer.NewJSONWriter(&buf)
	for range 2 {
		if err := w.Write(transfer.Ticket{Number: 1042, Subject: "<b>"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var back []map[string]any
	if err := json.Unmarshal(buf.Bytes(), &back); err != nil || len(back) != 2 || back[1]["number"] != "T-1042" || back[0]["subject"] != "<b>" {
		t.Errorf("%v: %s", err, buf.String())
	}
	buf.Reset()
	if err := transfer.NewJSONWriter(&buf).Close(); err != nil || buf.String() != "[]\n" {
		t.Errorf("an empty export is %q, %v", buf.String(), err)
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "'", "=1", "'=1", "''+", "a", "\t", "'\r"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := transfer.Escape(s)
		if back := transfer.Unescape(e); back != s {
			t.Errorf("%q is escaped as %q, which reads back as %q", s, e, back)
		}
		if e != "" && strings.ContainsRune("=+-@\t\r", rune(e[0])) {
			t.Errorf("%q is escaped as %q, which a spreadsheet would run", s, e)
		}
	})
}

func FuzzContacts(f *testing.F) {
	f.Add(fixture(f, "hubspot-contacts.csv"))
	f.Add([]byte("email,name,companies,property.x\na@x.example,'=1,A <a.example> <id:7>; B\\;,\"l\r\nm\"\n"))
	f.Add([]byte("sep=\t\nE-Mail\tCompany\tx\ta\na@x.example\t<\t'\t\x00\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := transfer.NewContacts(bytes.NewReader(data), int64(len(data)), transfer.Options{})
		if err != nil {
			return
		}
		list, _ := all(t, r, nil)
		back, problems := contacts(t, writeContacts(t, list), transfer.Options{})
		if diff := cmp.Diff(list, back, sameContact, empty); diff != "" || len(problems) > 0 {
			t.Errorf("what was accepted does not read back: %q\n%s", problems, diff)
		}
	})
}

func FuzzTickets(f *testing.F) {
	f.Add(fixture(f, "hubspot-tickets.csv"))
	f.Add([]byte("number,subject,requester,message_at,message_kind,message_body,message_files,field.x\nT-1,a,a@x.example,2026-01-01,public,\" one\",a\\;b; c,1\n1,a,a@x.example,1.1.2026,internal,\"\t=\",,\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := transfer.NewTickets(bytes.NewReader(data), int64(len(data)), transfer.Options{})
		if err != nil {
			return
		}
		list, _ := all(t, r, nil)
		for i := range list {
			// References by id alone are resolved by the store before export.
			list[i].Requester.ExternalID = ""
			for j := range list[i].Participants {
				list[i].Participants[j] = transfer.ContactRef{Email: list[i].Participants[j].Email}
			}
			list[i].Participants = slices.DeleteFunc(list[i].Participants, func(c transfer.ContactRef) bool { return c.Email == "" })
			if list[i].Requester.Email == "" {
				list[i].Requester.Email = "known@x.example"
			}
			for j := range list[i].Messages {
				m := &list[i].Messages[j]
				if m.By == transfer.ByContact && m.Email == "" {
					m.Email = "known@x.example"
				}
				if m.At.IsZero() {
					m.At = time.UnixMilli(0).UTC()
				}
			}
			list[i].Number = portal.TicketNumber(i + 1)
		}
		back, problems := tickets(t, writeTickets(t, list), transfer.Options{})
		if diff := cmp.Diff(list, back, sameTicket, empty); diff != "" || len(problems) > 0 {
			t.Errorf("what was accepted does not read back: %q\n%s", problems, diff)
		}
	})
}
