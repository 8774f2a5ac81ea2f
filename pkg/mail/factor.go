package mail

import "github.com/portalctl/portalctl/pkg/portal"

func (s *script) factorOn() {
	s.head(s.say("mail.factor_on.subject"), s.say("mail.factor_on.preview"), s.say("mail.factor_on.heading"),
		s.say("mail.factor_on.text"), s.say("mail.factor_on.after"))
	s.notMe()
}

// factorOff tells who did it apart: the person, or the operator for them.
func (s *script) factorOff() {
	text := s.say("mail.factor_off.text")
	if s.letter.Reset {
		text = s.say("mail.factor_off.reset")
	}
	s.head(s.say("mail.factor_off.subject"), s.say("mail.factor_off.preview"), s.say("mail.factor_off.heading"), text)
	s.notMe()
}

func (s *script) recoveryUsed() {
	left := s.N("mail.recovery_used.left", s.letter.Left)
	if s.letter.Left <= portal.FewRecoveryCodes {
		left += " " + s.say("mail.recovery_used.few")
	}
	s.head(s.say("mail.recovery_used.subject"), s.say("mail.recovery_used.preview"), s.say("mail.recovery_used.heading"),
		s.say("mail.recovery_used.text"), left)
	s.notMe()
}

func (s *script) factorTried() {
	s.head(s.say("mail.factor_tried.subject"), s.say("mail.factor_tried.preview"), s.say("mail.factor_tried.heading"),
		s.say("mail.factor_tried.text"), s.say("mail.factor_tried.after"))
	s.notMe()
}
