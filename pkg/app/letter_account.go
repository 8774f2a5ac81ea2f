package app

import (
	"context"
	"encoding/hex"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/store"
)

func (k *packing) invitation(ctx context.Context) (string, error) {
	switch {
	case k.contact == nil:
		return "it names no contact", nil
	case !k.entry.Allowed:
		return k.entry.Why, nil
	case k.member == nil:
		return "the contact is not invited any more", nil
	case k.member.Status == portal.Registered && !k.member.LastSignInAt.IsZero():
		return "the contact has registered since", nil
	case !SendsInvitations(k.portal):
		return "the portal sends no invitations", nil
	case k.member.Status == portal.Registered:
		// In another portal, so that they need nothing but to know.
		k.letter.Kind, k.letter.Link = portal.LetterAccess, k.letter.Home+"/sign-in"
		return "", nil
	}
	return "", k.link(ctx, &store.Token{Kind: store.TokenInvitation, Contact: k.contact.ID}, InvitationLife)
}

func (k *packing) signIn(ctx context.Context) (string, error) {
	t := &store.Token{Kind: store.TokenSignIn, ReturnTo: LocalPath(k.mail.Data["return_to"])}
	t.Familiar = k.mail.Data["familiar"] != ""
	var err error
	if t.Asked, err = hex.DecodeString(k.mail.Data["asked"]); err != nil {
		return "it names no browser", nil
	}
	if t.Code, err = hex.DecodeString(k.mail.Data["code"]); err != nil {
		return "it names no code", nil
	}
	if k.mail.Agent != 0 {
		if why, err := k.toAgent(ctx); why != "" || err != nil {
			return why, err
		}
		t.Agent = k.mail.Agent
		return "", k.link(ctx, t, SignInLinkLife)
	}
	if why := k.stranger(); why != "" {
		return why, nil
	}
	if !k.portal.Access.Allows(portal.MethodLink) {
		return "the portal does not sign in by mailed link any more", nil
	}
	t.Contact = k.contact.ID
	return "", k.link(ctx, t, SignInLinkLife)
}

func (k *packing) register(ctx context.Context) (string, error) {
	if k.portal.State != portal.Live || k.portal.Access.Mode != portal.ModeSelfRegister {
		return "the portal takes no registrations any more", nil
	}
	// A stranger chose the address; nothing else of theirs goes into the mail.
	return "", k.link(ctx, &store.Token{
		Kind: store.TokenRegister, Email: k.mail.Recipient,
		ReturnTo: LocalPath(k.mail.Data["return_to"]),
	}, RegistrationLife)
}

func (k *packing) registerKnown(context.Context) (string, error) {
	if why := k.stranger(); why != "" {
		return why, nil
	}
	k.letter.Name, k.letter.Link = "", k.letter.Home+"/sign-in"
	return "", nil
}

func (k *packing) reset(ctx context.Context) (string, error) {
	t := &store.Token{Kind: store.TokenReset, Contact: k.mail.Contact, Agent: k.mail.Agent}
	if k.mail.Agent != 0 {
		if why, err := k.toAgent(ctx); why != "" || err != nil {
			return why, err
		}
		return "", k.link(ctx, t, ResetLinkLife)
	}
	if why := k.stranger(); why != "" {
		return why, nil
	}
	if !k.portal.Access.Allows(portal.MethodPassword) {
		return "the portal does not sign in by password any more", nil
	}
	return "", k.link(ctx, t, ResetLinkLife)
}

// passwordChanged is told whether or not the contact may still enter: it may
// have been somebody else who changed it.
func (k *packing) passwordChanged(ctx context.Context) (string, error) { return k.notMe(ctx) }

// notMe is a notice about somebody's own account, with a link that signs out
// everywhere. It goes out whether or not they may still enter.
func (k *packing) notMe(ctx context.Context) (string, error) {
	if why, err := k.toAgent(ctx); why != "" || err != nil {
		return why, err
	}
	return "", k.link(ctx, &store.Token{
		Kind: store.TokenNotMe, Contact: k.mail.Contact, Agent: k.mail.Agent, Email: k.mail.Recipient, ReturnTo: k.mail.Data["page"],
	}, NotMeLife)
}

// toAgent fills in whom a letter about an agent's own account goes to.
func (k *packing) toAgent(ctx context.Context) (string, error) {
	if k.mail.Agent == 0 {
		return "", nil
	}
	agent, err := k.tx.Agent(ctx, k.mail.Agent)
	if err != nil {
		return "", err
	}
	if agent.Disabled || agent.Email != k.mail.Recipient {
		return "the agent does not have this address any more", nil
	}
	k.letter.Name = agent.Name
	return "", nil
}

func (k *packing) newDevice(ctx context.Context) (string, error) {
	k.letter.Device, k.letter.From = k.mail.Data["browser"], k.mail.Data["address"]
	return k.notMe(ctx)
}

func (k *packing) passkeyChanged(ctx context.Context) (string, error) {
	k.letter.Passkey = k.mail.Data["passkey"]
	return k.newDevice(ctx)
}

// proof makes the code that is typed where it was asked for.
func (k *packing) proof(ctx context.Context) (string, error) {
	if why, err := k.toAgent(ctx); why != "" || err != nil {
		return why, err
	}
	hash, err := hex.DecodeString(k.mail.Data["handshake"])
	if err != nil {
		return "it names no proof", nil
	}
	k.letter.Code, err = newProofCode(ctx, k.tx, hash)
	k.letter.Valid = ProofLife
	if portal.KindOf(err) == portal.NotFound {
		return "the code is not asked for any more", nil
	}
	return "", err
}

func (k *packing) emailProof(ctx context.Context) (string, error) {
	// Nobody has proven the address: nothing anybody typed goes into the mail.
	k.letter.Name = ""
	return "", k.link(ctx, &store.Token{Kind: store.TokenEmail, Contact: k.contact.ID, Email: k.mail.Recipient}, EmailLinkLife)
}

func (k *packing) approved(context.Context) (string, error) {
	if why := k.stranger(); why != "" {
		return why, nil
	}
	k.letter.Link = k.letter.Home + "/sign-in"
	return "", nil
}

// refused tells why somebody is not let in. It goes to an address that was
// proven, and to nobody who was let in since.
func (k *packing) refused(context.Context) (string, error) {
	switch {
	case k.contact == nil:
		return "it names no contact", nil
	case k.member == nil || k.member.Status != portal.Disabled || k.member.RefusedAt.IsZero():
		return "it was decided otherwise", nil
	}
	k.letter.Reason, k.letter.At = k.member.Refusal, k.member.RefusedAt
	return "", nil
}
