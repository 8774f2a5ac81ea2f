package sso

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Identity is whom a provider vouches for.
type Identity struct {
	Issuer, Subject string
	Email           string
	EmailVerified   bool // the provider says so; nobody else does
	Name            string
	Locale          string // a language tag, as the provider writes it
	Groups          []string
	HasGroups       bool // the group claim was there
	// Token is the ID token, to sign out with, and EndSession where; "" when
	// the provider has no such place.
	Token, EndSession string
}

// json64 is a number of seconds, which some providers write with a fraction.
type json64 int64

// UnmarshalJSON reads a number.
func (n *json64) UnmarshalJSON(b []byte) error {
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*n = json64(f)
	return nil
}

// claims are those that are asked for, as loosely as providers write them.
type claims struct {
	Email         string          `json:"email"`
	EmailVerified json.RawMessage `json:"email_verified"`
	DomainOwner   json.RawMessage `json:"xms_edov"`
	Name          string          `json:"name"`
	GivenName     string          `json:"given_name"`
	FamilyName    string          `json:"family_name"`
	Locale        string          `json:"locale"`
}

// complete reports whether there is nothing left to ask for.
func (i *Identity) complete(cfg *Config) bool {
	return i.Email != "" && i.Name != "" && (cfg.GroupClaim == "" || i.HasGroups)
}

// read takes over what is still open. An address and its proof come from the
// same place.
func (i *Identity) read(into func(any) error, cfg *Config) error {
	var c claims
	if err := into(&c); err != nil {
		return failed(ReasonToken, "read the claims", err)
	}
	if i.Email == "" && c.Email != "" {
		i.Email, i.EmailVerified = c.Email, verified(&c, cfg.Issuer)
	}
	if i.Name == "" {
		if i.Name = c.Name; i.Name == "" {
			i.Name = strings.TrimSpace(c.GivenName + " " + c.FamilyName)
		}
	}
	if i.Locale == "" {
		i.Locale = c.Locale
	}
	if cfg.GroupClaim == "" || i.HasGroups {
		return nil
	}
	var all map[string]json.RawMessage
	if err := into(&all); err != nil {
		return failed(ReasonToken, "read the claims", err)
	}
	i.Groups, i.HasGroups = groups(all, cfg.GroupClaim)
	return nil
}

// entraHost is where Microsoft's provider lives. It leaves email_verified out
// and says in xms_edov whether the address's domain is proven to be its
// owner's, which is the same promise.
const entraHost = "login.microsoftonline.com"

// verified reports whether the provider says that the address was proven. The
// word "true" counts as the boolean: Amazon Cognito signs it that way, and it
// is the provider's statement all the same. Nothing else does, such as 1 or
// "yes", and a claim that is missing says no.
func verified(c *claims, issuer string) bool {
	word := string(c.EmailVerified)
	if word == "true" || word == `"true"` {
		return true
	}
	u, err := url.Parse(issuer)
	return err == nil && u.Hostname() == entraHost && slices.Contains([]string{"true", `"true"`, "1", `"1"`}, string(c.DomainOwner))
}

// groups reads the group claim: a list of words, or one word. A name with dots
// that is no claim leads into objects, as in realm_access.roles.
func groups(all map[string]json.RawMessage, name string) (list []string, there bool) {
	raw, ok := all[name]
	if !ok {
		first, rest, dotted := strings.Cut(name, ".")
		var inner map[string]json.RawMessage
		if !dotted || json.Unmarshal(all[first], &inner) != nil {
			return nil, false
		}
		return groups(inner, rest)
	}
	var one string
	if json.Unmarshal(raw, &one) == nil {
		return []string{one}, true
	}
	var many []any
	if json.Unmarshal(raw, &many) != nil {
		return nil, false
	}
	for _, v := range many {
		if s, ok := v.(string); ok {
			list = append(list, s)
		}
	}
	return list, true
}

// SignOutURL is where to send a browser that also signs out at the provider;
// "" when the provider has no such place. back is where the provider sends it
// afterwards, with state.
func SignOutURL(endSession, token, clientID, back, state string) string {
	u, err := url.Parse(endSession)
	if endSession == "" || err != nil {
		return ""
	}
	q := u.Query()
	for name, value := range map[string]string{
		"id_token_hint": token, "client_id": clientID, "post_logout_redirect_uri": back, "state": state,
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}
