package i18n

// sameOfPages are the texts of pages that are rightly equal in English and
// Swedish; whoever writes the pages keeps the list.
var sameOfPages = map[string]bool{
	"consents.version": true,
	"event.status":     true,
	"form.problem_of":  true,
	"tickets.count":    true,
}
