package portal

import "slices"

// Severity says how much a Finding matters.
type Severity string

// How much a Finding matters: it is as it should be, it works for now or for
// some, or it does not work.
const (
	SeverityOK   Severity = "ok"
	SeverityWarn Severity = "warn"
	SeverityFail Severity = "fail"
)

// Finding is what a check came upon: what was found, what was wanted, and the
// exact thing to do about it. Its texts are for operators.
type Finding struct {
	Code     string   `json:"code"` // stable, like zone-appended
	Severity Severity `json:"severity"`
	About    string   `json:"about"` // the DNS name, file or setting looked at
	Found    string   `json:"found"`
	Wanted   string   `json:"wanted"`
	Todo     string   `json:"todo"` // "" when there is nothing to do
}

// SortFindings puts what does not work first, and leaves the order otherwise.
func SortFindings(list []Finding) {
	rank := map[Severity]int{SeverityFail: 0, SeverityWarn: 1, SeverityOK: 2}
	slices.SortStableFunc(list, func(a, b Finding) int { return rank[a.Severity] - rank[b.Severity] })
}
