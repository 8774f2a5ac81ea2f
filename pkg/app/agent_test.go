package app

import (
	"testing"

	"github.com/portalctl/portalctl/pkg/portal"
)

func TestTheOnlyAgentSpeaksUnlessAnotherIsNamed(t *testing.T) {
	w := newWorld(t, nil)
	agent, err := w.ActingAgent(t.Context(), "")
	if err != nil || agent.Email != "agent@example.com" {
		t.Errorf("the acting agent is %+v, %v; want the only one", agent, err)
	}
	in := AgentInput{Email: new("sam@example.com"), Name: new("Sam"), Role: new("admin")}
	for i, want := range []bool{true, false} {
		if agent, added, err := w.AddAgent(t.Context(), in); err != nil || added != want || agent.Role != portal.RoleAdmin {
			t.Errorf("run %d gave %+v, %v, %v", i+1, agent, added, err)
		}
	}
	_, err = w.ActingAgent(t.Context(), "")
	wantCode(t, err, "agent.which")
	if portal.Errors(err)[0].Field != "as" {
		t.Errorf("the error names the flag %q; want as", portal.Errors(err)[0].Field)
	}
	if _, _, _, err := w.SetAgent(t.Context(), "sam@example.com", AgentInput{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	if agent, err = w.ActingAgent(t.Context(), ""); err != nil || agent.Email != "agent@example.com" {
		t.Errorf("with Sam disabled the acting agent is %+v, %v", agent, err)
	}
	_, err = w.ActingAgent(t.Context(), "sam@example.com")
	wantCode(t, err, "agent.disabled")
	_, _, err = w.AddAgent(t.Context(), AgentInput{Email: new("sam@example.com"), Name: new("Sam"), Role: new("agent")})
	wantCode(t, err, "agent.exists")
}

func TestDisablingAnAgentEndsSessionsAndLinks(t *testing.T) {
	w := newWorld(t, nil)
	session := w.signInAgent()
	if !w.visit(session).SignedIn() {
		t.Fatal("not signed in to begin with")
	}
	if _, err := w.AgentLink(t.Context(), w.portal, w.agent.ID); err != nil {
		t.Fatal(err)
	}
	_, changes, ended, err := w.SetAgent(t.Context(), "agent@example.com", AgentInput{Name: new("Ines")})
	if err != nil || len(changes) != 0 || ended != 0 || !w.visit(session).SignedIn() {
		t.Errorf("the same name gave %v, %d ended, %v; want nothing", changes, ended, err)
	}
	_, changes, ended, err = w.SetAgent(t.Context(), "agent@example.com", AgentInput{Disabled: new(true)})
	if err != nil || len(changes) != 1 || ended != 1 || w.visit(session).SignedIn() {
		t.Errorf("disabling gave %v, %d ended, %v", changes, ended, err)
	}
	if _, _, _, err := w.SetAgent(t.Context(), "agent@example.com", AgentInput{Disabled: new(false)}); err != nil || w.visit(session).SignedIn() {
		t.Errorf("enabling (%v) brought the session back", err)
	}
}

func TestAnAgentWhoWroteIsNotRemoved(t *testing.T) {
	w := newWorld(t, nil)
	n, err := w.OpenDeskTicket(t.Context(), w.portal, NewDeskTicket{Requester: "ana@example.com", Subject: "Help", Body: "Please"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.DeskReply(t.Context(), w.agent.ID, n, Answer{Body: "Here"}); err != nil {
		t.Fatal(err)
	}
	_, err = w.RemoveAgent(t.Context(), "agent@example.com")
	wantCode(t, err, "agent.in_use")
	if _, _, err := w.AddAgent(t.Context(), AgentInput{Email: new("sam@example.com"), Name: new("Sam")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.RemoveAgent(t.Context(), "sam@example.com"); err != nil {
		t.Errorf("removing an agent who wrote nothing: %v", err)
	}
}
