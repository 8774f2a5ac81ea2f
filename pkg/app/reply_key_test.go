package app

import (
	"strings"
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestReplyAddressesAreReadBack(t *testing.T) {
	w := newWorld(t, nil)
	for _, k := range []replyKey{
		{Ticket: 1042, To: portal.Person{Contact: 7}},
		{Ticket: 9_000_001, To: portal.Person{Agent: 3}},
		{Ticket: 1, Inbox: 2},
	} {
		address, err := w.App.replyAddress("support@example.com", k)
		if err != nil {
			t.Fatal(err)
		}
		if local, _, _ := strings.Cut(address, "@"); len(local) > 64 {
			t.Errorf("%s: the local part has %d letters; servers take 64", address, len(local))
		}
		for _, typed := range []string{address, strings.ToUpper(address), " " + address + "\n"} {
			base, got, ok := w.App.readReplyAddress(typed)
			if !ok || got != k || base != "support@example.com" {
				t.Errorf("%q reads as %v of %q, %v; want %v", typed, got, base, ok, k)
			}
		}
		id, err := w.App.mailID(k, "example.com")
		if err != nil {
			t.Fatal(err)
		}
		for _, typed := range []string{id, strings.Trim(id, "<>"), strings.ToUpper(id)} {
			if got, ok := w.App.readMailID(typed); !ok || got != k {
				t.Errorf("%q reads as %v, %v; want %v", typed, got, ok, k)
			}
		}
	}
}

func TestForeignReplyAddressesNameNoTicket(t *testing.T) {
	w := newWorld(t, nil)
	k := replyKey{Ticket: 1042, To: portal.Person{Contact: 7}}
	address, err := w.App.replyAddress("support@example.com", k)
	if err != nil {
		t.Fatal(err)
	}
	id, err := w.App.mailID(k, "example.com")
	if err != nil {
		t.Fatal(err)
	}
	key := address[strings.LastIndex(address, ".k")+2 : strings.Index(address, "@")]
	for _, s := range []string{
		"", "support@example.com", "support+tag@example.com", "+t1042.c7.k" + key + "@example.com",
		strings.Replace(address, "t1042", "t1043", 1), strings.Replace(address, ".c7.", ".c8.", 1),
		strings.Replace(address, ".c7.", ".a7.", 1), strings.Replace(address, ".c7.", ".c07.", 1),
		strings.Replace(address, "+t1042", "+t01042", 1), strings.Replace(address, ".k"+key, ".k", 1),
		strings.Replace(address, key, key[:8], 1),
	} {
		if _, got, ok := w.App.readReplyAddress(s); ok {
			t.Errorf("the address %q names %v", s, got)
		}
	}
	salt, rest, _ := strings.Cut(strings.Trim(id, "<>"), ".")
	for _, s := range []string{
		"", "<>", "<@>", "<x@example.com>", strings.Replace(id, salt, salt+"a", 1), strings.Replace(id, "t1042", "t1041", 1),
		"<." + rest + ">", strings.Trim(address, "<>"), strings.TrimPrefix(address, "support+"),
	} {
		if got, ok := w.App.readMailID(s); ok {
			t.Errorf("the Message-ID %q names %v", s, got)
		}
	}
}
