package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/output"
	"github.com/portalctl/portalctl/pkg/portal"
)

// zoneOutput is the format of commands that print DNS records: lines of a zone
// file.
const zoneOutput = "zone"

// zoneFormat is the annotation of these commands.
var zoneFormat = map[string]string{moreFormats: zoneOutput}

// printRecords prints the records as data.
func printRecords(env *Env, c *app.DomainCheck) error {
	switch env.Config.Output {
	case zoneOutput:
		_, err := fmt.Fprint(env.Out, c.ZoneFile())
		return err
	case output.JSON:
		return env.Printer().JSON(newDomainJSON(c))
	}
	columns := []output.Column{
		{Name: "name", Head: "Name", Keep: true},
		{Name: "type", Head: "Type", Keep: true},
		{Name: "value", Head: "Value", Keep: true},
		{Name: "found"},
		{Name: "ok"},
		{Name: "asked"},
	}
	rows := make([][]any, len(c.Records))
	for i, r := range c.Records {
		rows[i] = []any{r.Name, r.Type, r.Value, r.Found, r.OK, r.By}
	}
	return env.Printer().List(columns, rows, "")
}

// domainJSON is a domain with its records as scripts read it.
type domainJSON struct {
	Domain     string           `json:"domain"`
	Kind       string           `json:"kind"`
	Language   string           `json:"language"`
	Verified   bool             `json:"verified"`
	VerifiedAt *time.Time       `json:"verified_at"`
	CheckedAt  *time.Time       `json:"checked_at"`
	Proxied    bool             `json:"proxied"`
	LostAt     *time.Time       `json:"lost_at"`
	LostWhy    string           `json:"lost_why"`
	Arrives    bool             `json:"visitors_arrive"`
	Records    []recordJSON     `json:"records"`
	Findings   []portal.Finding `json:"findings"`
}

type recordJSON struct {
	Name  string   `json:"name"`
	Type  string   `json:"type"`
	Value string   `json:"value"`
	Found []string `json:"found"`
	OK    bool     `json:"ok"`
	Asked string   `json:"asked,omitempty"`
	Error string   `json:"error,omitempty"`
}

func newDomainJSON(c *app.DomainCheck) domainJSON {
	d := c.Domain
	j := domainJSON{
		Domain: domainName(d), Kind: string(d.Kind), Language: d.Language, Verified: d.Verified(),
		VerifiedAt: timeOrNull(d.VerifiedAt), CheckedAt: timeOrNull(d.CheckedAt), Proxied: d.Proxied,
		LostAt: timeOrNull(d.LostAt), LostWhy: d.LostWhy, Arrives: c.Arrives,
		Records: []recordJSON{}, Findings: append([]portal.Finding{}, c.Findings...),
	}
	for _, r := range c.Records {
		record := recordJSON{Name: r.Name, Type: r.Type, Value: r.Value, Found: append([]string{}, r.Found...), OK: r.OK, Asked: r.By}
		if r.Err != nil {
			record.Error = r.Err.Error()
		}
		j.Records = append(j.Records, record)
	}
	return j
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC().Truncate(time.Second)
	return &t
}

// sayCheck tells what was found against what is wanted, and what to do.
func sayCheck(env *Env, c *app.DomainCheck) {
	d := c.Domain
	for _, r := range c.Records {
		if r.OK {
			env.say("%s %s: found%s", r.Name, r.Type, saidBy(&r))
		}
	}
	sayFindings(env, c.Findings)
	if c.NoAddress != "" && !d.Proxied {
		env.say("Only the proof is asked for: %s. Say with --address or --base-url where visitors are to arrive.", c.NoAddress)
	}
	switch {
	case c.Holds() && d.Proxied:
		env.say("%s is verified; its visitors come through a proxy.", d.Host)
	case c.Holds():
		env.say("%s is verified.", d.Host)
	case c.Proven:
		env.say("%s is verified, but its visitors do not arrive at this server yet.", d.Host)
	case !d.LostAt.IsZero():
		env.say("%s.", app.LostWords(d, env.Now()))
	case d.Verified():
		env.say("%s stays verified, because the proof was found on %s.", d.Host, d.VerifiedAt.Local().Format(time.DateOnly))
	default:
		env.say("%s is not verified yet; until then it serves nothing.", d.Host)
		env.say("Add the records above to its DNS zone, then: portalctl domain verify %s", d.Host)
	}
}

func saidBy(r *app.DomainRecord) string {
	if r.By == "" {
		return ""
	}
	return " (says " + r.By + ")"
}

// sayFindings tells each finding, and what to do about it.
func sayFindings(env *Env, list []portal.Finding) {
	for _, f := range list {
		env.sayHanging(6, "%s  %s: %s", f.Severity, f.About, f.Found)
		env.sayHanging(4, "      wanted: %s", f.Wanted)
		if f.Todo != "" {
			env.sayHanging(4, "      do: %s", strings.ReplaceAll(f.Todo, "\n", "\n          "))
		}
	}
}
