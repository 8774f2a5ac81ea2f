package transfer_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/transfer"
)

// all reads every record; problems come back as text.
func all[T any](t testing.TB, r *transfer.Reader[T], err error) (values []T, problems []string) {
	t.Helper()
	if err != nil {
		t.Fatalf("the file was refused: %v", err)
	}
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return values, problems
		}
		if err != nil {
			t.Fatalf("reading stopped: %v", err)
		}
		for _, p := range rec.Problems {
			problems = append(problems, p.String())
		}
		if len(rec.Problems) == 0 {
			values = append(values, rec.Value)
		}
	}
}

func contacts(t testing.TB, data []byte, o transfer.Options) ([]transfer.Contact, []string) {
	t.Helper()
	r, err := transfer.NewContacts(bytes.NewReader(data), int64(len(data)), o)
	return all(t, r, err)
}

func companies(t testing.TB, data []byte) ([]transfer.Company, []string) {
	t.Helper()
	r, err := transfer.NewCompanies(bytes.NewReader(data), int64(len(data)), transfer.Options{})
	return all(t, r, err)
}

func tickets(t testing.TB, data []byte, o transfer.Options) ([]transfer.Ticket, []string) {
	t.Helper()
	r, err := transfer.NewTickets(bytes.NewReader(data), int64(len(data)), o)
	return all(t, r, err)
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (- wanted, + got):\n%s", what, diff)
	}
}

func utc(s string) time.Time {
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return at
}

func TestHubSpotContactsAreReadAsTheyCome(t *testing.T) {
	got, problems := contacts(t, fixture(t, "hubspot-contacts.csv"), transfer.Options{})
	nordlys := transfer.CompanyRef{Name: "Nordlys Kraft AS", ExternalID: "15483920110"}
	backstrom := transfer.CompanyRef{Name: "Bäckström & Co", ExternalID: "15483920111"}
	same(t, "the contacts", got, []transfer.Contact{
		{
			Line: 2, Email: "ingrid.moe@nordlyskraft.example", Name: "Ingrid Moe", Language: "no", TimeZone: "Europe/Oslo",
			ExternalID: "20251", Primary: nordlys, Companies: []transfer.CompanyRef{nordlys}, AllCompanies: true,
			Properties: map[string]string{
				"phone_number": "+47 73 55 01 21", "contact_owner": "Mika Sandell", "last_activity_date": "2026-01-30 16:02",
				"marketing_contact_status": "Marketing contact", "notes_from_sales": "Met at the fair.\nWants a call in spring.",
			},
			CreatedAt: utc("2024-02-12 09:20"), UpdatedAt: utc("2026-01-30 16:02"),
		},
		{
			Line: 4, Email: "erik@nordlyskraft.example", Name: "Erik Dahl", ExternalID: "20252",
			Primary: nordlys, Companies: []transfer.CompanyRef{nordlys, backstrom}, AllCompanies: true,
			Properties: map[string]string{"contact_owner": "Mika Sandell", "marketing_contact_status": "Non-marketing contact"},
			CreatedAt:  utc("2024-02-12 09:22"), UpdatedAt: utc("2025-11-03 10:00"),
		},
		{
			Line: 5, Email: "asa@backstrom.example", Name: "Åsa Bäckström", Language: "sv", TimeZone: "Europe/Stockholm",
			ExternalID: "20253", Primary: backstrom, Companies: []transfer.CompanyRef{backstrom}, AllCompanies: true,
			Properties: map[string]string{"phone_number": "-", "notes_from_sales": `Said "call me"`},
			CreatedAt:  utc("2024-03-01 11:41"), UpdatedAt: utc("2025-12-01 07:30"),
		},
	})
	same(t, "the problems", problems, []string{"line 6, Email: the contact has no e-mail address"})
}

func TestHubSpotCompaniesAreReadAsTheyCome(t *testing.T) {
	got, problems := companies(t, fixture(t, "hubspot-companies.csv"))
	same(t, "the companies", got, []transfer.Company{
		{
			Line: 2, Name: "Nordlys Kraft AS", Domain: "nordlyskraft.example", ExternalID: "15483920110",
			Properties: map[string]string{
				"company_owner": "Mika Sandell", "phone_number": "+47 73 55 01 20", "last_activity_date": "2026-01-30 16:02",
				"city": "Trondheim", "country/region": "Norway", "industry": "Utilities",
			},
			CreatedAt: utc("2024-02-12 09:14"),
		},
		{
			Line: 3, Name: "Bäckström & Co", Domain: "backstrom.example", ExternalID: "15483920111",
			Properties: map[string]string{"company_owner": "Mika Sandell", "city": "Göteborg", "country/region": "Sweden"},
			CreatedAt:  utc("2024-03-01 11:40"),
		},
		{Line: 4, Name: "quietcorp.example", Domain: "quietcorp.example", ExternalID: "15483920112", CreatedAt: utc("2025-06-19 08:00")},
	})
	same(t, "the problems", problems, []string(nil))
}

func TestHubSpotTicketsAreReadAsTheyCome(t *testing.T) {
	got, problems := tickets(t, fixture(t, "hubspot-tickets.csv"), transfer.Options{})
	ingrid := transfer.ContactRef{Email: "ingrid.moe@nordlyskraft.example", Name: "Ingrid Moe", ExternalID: "20251"}
	asa := transfer.ContactRef{Email: "asa@backstrom.example", Name: "Åsa Bäckström", ExternalID: "20253"}
	same(t, "the tickets", got, []transfer.Ticket{
		{
			Line: 2, ExternalID: "3301554420", Subject: "Meter readings stopped", Status: portal.WaitingOnUs, Priority: portal.High,
			Category: "Product Issue", Requester: ingrid,
			Participants: []transfer.ContactRef{{Email: "erik@nordlyskraft.example", Name: "Erik Dahl", ExternalID: "20252"}},
			Company:      transfer.CompanyRef{Name: "Nordlys Kraft AS", ExternalID: "15483920110"},
			Assignee:     "mika@desk.example", Fields: map[string]string{"pipeline": "Support Pipeline"},
			CreatedAt: utc("2026-01-12 09:14"), UpdatedAt: utc("2026-01-14 15:20"), Described: true,
			Messages: []transfer.Message{{
				At: utc("2026-01-12 09:14"), Kind: portal.Public, By: transfer.ByContact, Email: ingrid.Email, Name: ingrid.Name, Format: portal.Plain,
				Body: "Hello,\n\nsince Monday no readings arrive.\nCan you look?\n\nIngrid",
			}},
		},
		{
			Line: 8, ExternalID: "3301554421", Subject: "Invoice 2025-118", Status: portal.WaitingOnCustomer, Priority: portal.Normal,
			Category: "Billing Issue", Requester: asa, Participants: []transfer.ContactRef{},
			Company:   transfer.CompanyRef{Name: "Bäckström & Co", ExternalID: "15483920111"},
			Fields:    map[string]string{"pipeline": "Support Pipeline"},
			CreatedAt: utc("2025-12-03 13:00"), UpdatedAt: utc("2025-12-05 08:45"), Described: true,
			Messages: []transfer.Message{{
				At: utc("2025-12-03 13:00"), Kind: portal.Public, By: transfer.ByContact, Email: asa.Email, Name: asa.Name, Format: portal.Plain,
				Body: "The amount is not what we agreed.",
			}},
		},
		{
			Line: 9, ExternalID: "3301554422", Subject: "Walk-through for new staff", Status: portal.Closed, Priority: portal.Low,
			Category: "General Inquiry", Participants: []transfer.ContactRef{},
			Requester: transfer.ContactRef{Email: "bh@hubspot.com", Name: "Brian Halligan (Sample Contact)", ExternalID: "1"},
			Assignee:  "Mika Sandell", Fields: map[string]string{"pipeline": "Support Pipeline", "time_to_close_(hh:mm:ss)": "174:00:00"},
			CreatedAt: utc("2025-10-20 10:00"), UpdatedAt: utc("2025-10-27 16:00"), ClosedAt: utc("2025-10-27 16:00"), Described: true, NoCompany: true,
			Messages: []transfer.Message{{
				At: utc("2025-10-20 10:00"), Kind: portal.Note, Format: portal.Plain,
				Body: "Asked by phone; seems annoyed about the last invoice.",
			}},
		},
	})
	same(t, "the problems", problems, []string{
		`line 10, Ticket status: "Kick-off done (Onboarding)" is not a status that is known; say what it means, such as --map-status "Kick-off done (Onboarding)=waiting_on_us"`,
	})
}

func TestFurtherStatusesCanBeNamed(t *testing.T) {
	statuses, err := transfer.ParseStatuses([]string{"Kick-off done = waiting-on-us", "New (Onboarding)=closed"})
	if err != nil {
		t.Fatal(err)
	}
	data := "Ticket ID,Ticket name,Ticket status,Associated Contact\n" +
		"1,a,Kick-off Done (Onboarding),a@x.example\n2,b,New (Onboarding),a@x.example\n3,c,New (Support Pipeline),a@x.example\n"
	got, problems := tickets(t, []byte(data), transfer.Options{Statuses: statuses})
	var read []portal.Status
	for _, ticket := range got {
		read = append(read, ticket.Status)
	}
	same(t, "the statuses", read, []portal.Status{portal.WaitingOnUs, portal.Closed, portal.New})
	same(t, "the problems", problems, []string(nil))
	for _, bad := range []string{"open", "=closed", "open=ajar"} {
		if _, err := transfer.ParseStatuses([]string{bad}); err == nil {
			t.Errorf("%q was read as the meaning of a status", bad)
		}
	}
}

func TestDescriptionIsPublicOnlyWhenTheCustomerWroteItOrTheOperatorSaysSo(t *testing.T) {
	for _, test := range []struct {
		source string
		option transfer.Description
		kind   portal.MessageKind
		by     transfer.Author
	}{
		{"Email", "", portal.Public, transfer.ByContact},
		{"CHAT", "", portal.Public, transfer.ByContact},
		{"Phone", "", portal.Note, transfer.ByUnknown},
		{"", "", portal.Note, transfer.ByUnknown},
		{"", transfer.DescriptionPublic, portal.Public, transfer.ByUnknown},
		{"Form", transfer.DescriptionInternal, portal.Note, transfer.ByContact},
	} {
		data := "Ticket ID,Ticket name,Ticket description,Source,Associated Contact\n1,a,words," + test.source + ",a@x.example\n"
		got, problems := tickets(t, []byte(data), transfer.Options{Description: test.option})
		if len(got) != 1 || len(got[0].Messages) != 1 || len(problems) > 0 {
			t.Fatalf("source %q: read as %v, %v", test.source, got, problems)
		}
		if m := got[0].Messages[0]; m.Kind != test.kind || m.By != test.by {
			t.Errorf("source %q, option %q: the description is %s by %q, want %s by %q", test.source, test.option, m.Kind, m.By, test.kind, test.by)
		}
	}
}

func TestEncodingsAndSeparators(t *testing.T) {
	const text = "Email,First Name,Note\r\nasa@x.example,Åsa,\"one\ntwo; three\"\r\n"
	encode := func(e encoding.Encoding, s string) []byte {
		out, err := e.NewEncoder().String(s)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(out)
	}
	for name, data := range map[string][]byte{
		"UTF-8":                        []byte(text),
		"UTF-8 with a byte-order mark": []byte("\ufeff" + text),
		"UTF-16 little endian":         encode(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), text),
		"UTF-16 big endian":            encode(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), text),
		"Windows-1252":                 encode(charmap.Windows1252, text),
		"decomposed letters":           []byte(strings.ReplaceAll(text, "Å", "A\u030a")),
		"semicolons":                   []byte("Email;First Name;Note\nasa@x.example;Åsa;\"one\ntwo; three\"\n"),
		"tabs":                         []byte("Email\tFirst Name\tNote\nasa@x.example\tÅsa\t\"one\ntwo; three\"\n"),
		"a line sep=":                  []byte("sep=;\r\nEmail;First Name;Note\r\nasa@x.example;Åsa;\"one\r\ntwo; three\"\r\n"),
		"no line end at the end":       []byte(strings.TrimRight(text, "\r\n")),
		"empty lines and rows":         []byte("\n\nEmail,First Name,Note\n\n,,\nasa@x.example,Åsa,\"one\ntwo; three\"\n , ,\n\n"),
		"empty cells too many":         []byte("Email,First Name,Note\nasa@x.example,Åsa,\"one\ntwo; three\",,,\n"),
		"lower case names":             []byte("e-mail , FIRST   name,note\nasa@x.example,Åsa,\"one\ntwo; three\"\n"),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := transfer.NewContacts(bytes.NewReader(data), int64(len(data)), transfer.Options{})
			got, problems := all(t, r, err)
			if len(problems) > 0 || len(got) != 1 {
				t.Fatalf("read as %v with %v", got, problems)
			}
			if c := got[0]; c.Email != "asa@x.example" || c.Name != "Åsa" || c.Properties["note"] != "one\ntwo; three" {
				t.Errorf("read as %+v", c)
			}
			if said := len(r.Notices()) > 0; said != (name == "Windows-1252") {
				t.Errorf("the notices are %q", r.Notices())
			}
		})
	}
}

func TestDamageInUTF8IsAProblemOfItsRow(t *testing.T) {
	got, problems := contacts(t, []byte("Email,Name\na@x.example,Åsa Ö\nb@x.example,B\xf6rje\nc@x.example,Çelik\n"), transfer.Options{})
	if len(got) != 2 || len(problems) != 1 || problems[0] != "line 3, Name: Name is not valid UTF-8 text" {
		t.Errorf("read as %v with %q", got, problems)
	}
}

func TestFilesThatCannotBeReadSayWhy(t *testing.T) {
	for name, test := range map[string]struct{ data, msg string }{
		"empty":             {"", "the file is empty"},
		"only a mark":       {"\ufeff\n\n", "the file is empty"},
		"workbook":          {"PK\x03\x04rest", "the file is a ZIP archive or an Excel workbook, not CSV"},
		"UTF-16, no mark":   {"E\x00m\x00a\x00i\x00l\x00", "the file is not text"},
		"no e-mail column":  {"a,b\n1,2\n", `no column of the file is called "email"; it has: a, b`},
		"header unreadable": {"\"Email\" x,b\n", "the line with the column names cannot be read: a quotation mark inside a quoted cell is not doubled"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := transfer.NewContacts(strings.NewReader(test.data), int64(len(test.data)), transfer.Options{})
			if portal.KindOf(err) != portal.Invalid || err.Error() != test.msg {
				t.Errorf("the error is %v, want %s", err, test.msg)
			}
		})
	}
	data := fixture(t, "hubspot-tickets.csv")
	_, err := transfer.NewContacts(bytes.NewReader(data), int64(len(data)), transfer.Options{})
	if hint := portal.Errors(err)[0].Hint; hint != "this looks like tickets; use `tickets import`" {
		t.Errorf("a file of tickets gets the hint %q", hint)
	}
}

func TestBadRowsAreReportedByLineAndDoNotStopTheGoodOnes(t *testing.T) {
	big := strings.Repeat("x", transfer.MaxRow)
	for _, test := range []struct {
		what, rows string
		good       int
		problems   []string
	}{
		{"a cell too few", "a@x.example\nb@x.example,B\n", 1, []string{"line 2: the row has 1 cell, the first line has 2"}},
		{"a cell too many", "a@x.example,A,B\nb@x.example,B\n", 1, []string{"line 2: the row has 3 cells, the first line has 2"}},
		{"a quotation mark inside quotes", "\"a@x.example\",\"the \"big\" one\"\nb@x.example,B\n", 1, []string{"line 2: a quotation mark inside a quoted cell is not doubled"}},
		{"a bare quotation mark", "a@x.example,5\" pipe\nb@x.example,B\n", 2, nil},
		{"a quotation that never ends", "a@x.example,A\nb@x.example,\"B\nc@x.example,C\n", 1, []string{"line 3: a quotation mark opens in this row and never closes; nothing behind it could be read"}},
		{"a row that is too large", "a@x.example," + big + "\nb@x.example,B\n", 1, []string{"line 2: the row is larger than 1024 KiB"}},
		{"a large row in quotes", "a@x.example,\"" + big + "\n\"\nb@x.example,B\n", 1, []string{"line 2: the row is larger than 1024 KiB"}},
		{"lines inside a cell count", "a@x.example,\"A\n\n\"\nnobody,B\nb@x.example,B\n", 2, []string{`line 5, Email: "nobody" is not an e-mail address; write it like name@example.com`}},
		{"a name that is too long", "a@x.example," + strings.Repeat("n", 201) + "\n", 0, []string{"line 2, Name: Name has 201 characters; at most 200 fit"}},
		{"several problems", "nobody," + strings.Repeat("n", 201) + "\n", 0, []string{
			`line 2, Email: "nobody" is not an e-mail address; write it like name@example.com`, "line 2, Name: Name has 201 characters; at most 200 fit",
		}},
		{"invisible characters are dropped", "\u200ba@x.example,A\u202eB\x1b\n", 1, nil},
	} {
		t.Run(test.what, func(t *testing.T) {
			got, problems := contacts(t, []byte("Email,Name\n"+test.rows), transfer.Options{})
			if len(got) != test.good {
				t.Errorf("%d rows were taken, want %d: %v", len(got), test.good, got)
			}
			same(t, "the problems", problems, test.problems)
		})
	}
}

func TestNumbersThatASpreadsheetRoundedAreRefused(t *testing.T) {
	_, problems := contacts(t, []byte("Record ID,Email,Associated Company IDs\n1.23457E+11,a@x.example,\n7,b@x.example,\"1,5E+10\"\n"), transfer.Options{})
	if len(problems) != 2 || !strings.Contains(problems[0], "rounded") || !strings.Contains(problems[1], "rounded") {
		t.Errorf("the problems are %q", problems)
	}
}

func TestDates(t *testing.T) {
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Skip("no time zones on this machine")
	}
	for _, test := range []struct {
		in, want string // want "": refused
		o        transfer.Options
	}{
		{in: "2026-01-31 14:05", want: "2026-01-31T14:05:00Z"},
		{in: "2026-01-31 14:05", want: "2026-01-31T13:05:00Z", o: transfer.Options{Location: stockholm}},
		{in: "2026-07-31 14:05", want: "2026-07-31T12:05:00Z", o: transfer.Options{Location: stockholm}},
		{in: "2026-01-31", want: "2026-01-31T00:00:00Z"},
		{in: "2026-01-31T14:05:06.789Z", want: "2026-01-31T14:05:06.789Z"},
		{in: "2026-01-31T14:05:06+05:30", want: "2026-01-31T08:35:06Z", o: transfer.Options{Location: stockholm}},
		{in: "01/31/2026", want: "2026-01-31T00:00:00Z"},
		{in: "31/01/2026 2:05 PM", want: "2026-01-31T14:05:00Z"},
		{in: "31.01.2026", want: "2026-01-31T00:00:00Z"},
		{in: "3.4.2026 08:09", want: "2026-04-03T08:09:00Z"},
		{in: "04/04/2026", want: "2026-04-04T00:00:00Z"},
		{in: "03/04/2026", o: transfer.Options{}},
		{in: "03/04/2026", want: "2026-04-03T00:00:00Z", o: transfer.Options{DateOrder: transfer.DayFirst}},
		{in: "03/04/2026", want: "2026-03-04T00:00:00Z", o: transfer.Options{DateOrder: transfer.MonthFirst}},
		{in: "1769868300000", want: "2026-01-31T14:05:00Z"},
		{in: "1769868300", want: "2026-01-31T14:05:00Z"},
		{in: "Jan 31, 2026 2:05 PM", want: "2026-01-31T14:05:00Z"},
		{in: "Jul 1, 2025 11:39 PM GMT+5:30", want: "2025-07-01T18:09:00Z"},
		{in: "31/02/2026"},
		{in: "13/13/2026"},
		{in: "yesterday"},
		{in: "31/01/26"},
		{in: "1066-10-14"},
		{in: "31.01/2026"},
		{in: "12"},
	} {
		got, problems := contacts(t, []byte("Email,Create Date\na@x.example,\""+test.in+"\"\n"), test.o)
		switch {
		case test.want == "":
			if len(problems) != 1 {
				t.Errorf("%q was read as %v", test.in, got)
			}
		case len(problems) > 0:
			t.Errorf("%q was refused: %v", test.in, problems)
		case got[0].CreatedAt.Format(time.RFC3339Nano) != test.want:
			t.Errorf("%q was read as %s, want %s", test.in, got[0].CreatedAt.Format(time.RFC3339Nano), test.want)
		}
	}
}

func TestTheFileItselfSaysWhichNumberIsTheDay(t *testing.T) {
	const head = "Email,Create Date,Last Modified Date\na@x.example,03/04/2026,\n"
	for _, test := range []struct{ what, rest, want string }{
		{"a later row is plain", "b@x.example,25/12/2025,\n", "2026-04-03"},
		{"another column is plain", "b@x.example,,12-25-2025\n", "2026-03-04"},
		{"two contradict", "b@x.example,25/12/2025,12/25/2025\n", ""},
		{"dots say nothing", "b@x.example,25.12.2025,\n", ""},
	} {
		got, problems := contacts(t, []byte(head+test.rest), transfer.Options{})
		if test.want == "" {
			if len(problems) != 1 || !strings.Contains(problems[0], "two ways") {
				t.Errorf("%s: read as %v, %q", test.what, got, problems)
			}
			continue
		}
		if len(problems) > 0 || got[0].CreatedAt.Format(time.DateOnly) != test.want {
			t.Errorf("%s: read as %v, %q; want %s", test.what, got, problems, test.want)
		}
	}
}

func TestCompaniesOfAContact(t *testing.T) {
	acme := transfer.CompanyRef{Name: "Acme; Sons", ExternalID: "7"}
	for _, test := range []struct {
		what, header, row string
		primary           transfer.CompanyRef
		companies         []transfer.CompanyRef
		whole             bool
	}{
		{"a single id takes the whole name", "Associated Company IDs,Associated Company", "7,Acme; Sons", acme, []transfer.CompanyRef{acme}, true},
		{
			"names that do not fit the ids are left", "Associated Company IDs,Associated Company", "7;8,Acme; Sons; Globex",
			transfer.CompanyRef{ExternalID: "7"},
			[]transfer.CompanyRef{{ExternalID: "7"}, {ExternalID: "8"}},
			true,
		},
		{
			"the primary column decides", "Primary Associated Company ID,Associated Company IDs", "8,7;8",
			transfer.CompanyRef{ExternalID: "8"},
			[]transfer.CompanyRef{{ExternalID: "7"}, {ExternalID: "8"}},
			true,
		},
		{
			"an empty primary column is none", "Primary Associated Company ID,Associated Company IDs", ",7",
			transfer.CompanyRef{},
			[]transfer.CompanyRef{{ExternalID: "7"}},
			true,
		},
		{"a primary company with a name", "Associated Company IDs (Primary),Associated Company (Primary)", "7,Acme; Sons", acme, []transfer.CompanyRef{acme}, false},
		{
			"a column with the company's name", "Company,City", "Acme; Sons,Oslo",
			transfer.CompanyRef{Name: "Acme; Sons"},
			[]transfer.CompanyRef{{Name: "Acme; Sons"}},
			false,
		},
		{"what contacts say about themselves is not believed", "Company name,City", "Acme,Oslo", transfer.CompanyRef{}, nil, false},
		{
			"an association is better than a name", "Company,Associated Company IDs", "Something,7",
			transfer.CompanyRef{ExternalID: "7"},
			[]transfer.CompanyRef{{ExternalID: "7"}},
			true,
		},
		{
			"our own form", "primary_company,companies", `Acme\; Sons <id:7>,Globex <globex.example>; Acme\; Sons <id:7>`, acme,
			[]transfer.CompanyRef{{Name: "Globex", Domain: "globex.example"}, acme},
			true,
		},
	} {
		t.Run(test.what, func(t *testing.T) {
			a, b, _ := strings.Cut(test.row, ",")
			got, problems := contacts(t, []byte("email,"+test.header+"\na@x.example,\""+a+"\",\""+b+"\"\n"), transfer.Options{})
			if len(got) != 1 {
				t.Fatalf("the problems are %q", problems)
			}
			same(t, "the primary company", got[0].Primary, test.primary)
			same(t, "the companies", got[0].Companies, test.companies)
			if got[0].AllCompanies != test.whole {
				t.Errorf("the list counts as whole: %v, want %v", got[0].AllCompanies, test.whole)
			}
		})
	}
}
