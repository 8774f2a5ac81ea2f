package helpdesk

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// composer is the form to write an answer or a note with.
type composer struct {
	*i18n.Printer
	Mode    portal.DeskMode
	Path    string // of the ticket
	Open    bool
	Form    *page.Form
	Kept    []keptFile
	Back    string // why an answer came back
	Readers string // whom an answer goes to
	Mail    string // who of them gets no mail
	Reopens bool
	Seen    string // the newest public message on the page
	Met     bool   // somebody wrote meanwhile
	Names   []portal.Agent
	Canned  []portal.Canned
	Limits  page.FileLimits
	Preview templ.Component
}

// keptFile is a file that lies with the draft.
type keptFile struct{ ID, Name, Size string }

// Note reports whether it writes what customers never see.
func (c *composer) Note() bool { return c.Mode == portal.ModeNote }

// ID is the id of an element of the form.
func (c *composer) ID(name string) string { return string(c.Mode) + "-" + name }

// Compose is where the form goes when it is to come back filled in.
func (c *composer) Compose() string { return c.Path + "/compose/" + string(c.Mode) }

func (c *composer) preview() {
	c.Open = true
	c.Preview = page.Body(c.Form.Value("body"), portal.Markdown)
}

// composers makes the two forms. One of them is open.
func (p *conversationPage) composers(mode string) {
	base := composer{Printer: p.Printer, Path: p.Path, Names: p.Agents, Canned: p.Canned, Limits: page.LimitsOfFiles(p.Printer)}
	a, n := base, base
	a.Mode, n.Mode = portal.ModeAnswer, portal.ModeNote
	a.fill(p.Conversation.Answer.Form)
	n.fill(p.Conversation.Note.Form)
	a.Kept, n.Kept = p.kept(p.Conversation.Answer.Files), p.kept(p.Conversation.Note.Files)
	a.Reopens = p.Ticket.Status == portal.Closed
	a.Seen = strconv.FormatInt(int64(p.Ticket.LastPublic), 10)
	if why := p.Conversation.Answer.Why; why != "" {
		a.Back, _ = p.ErrorText(why, nil)
	}
	var names, none []string
	for i, one := range p.People {
		if p.Parties[i].Erased {
			continue
		}
		names = append(names, one.Name)
		if p.Parties[i].Bounced || p.Parties[i].Notify == "none" {
			none = append(none, one.Name)
		}
	}
	a.Readers = strings.Join(names, ", ")
	if len(none) > 0 {
		a.Mail = p.T("talk.no_mail", "Names", strings.Join(none, ", "))
	}
	note := mode == string(portal.ModeNote) || mode == "" && a.Form.Value("body") == "" && n.Form.Value("body") != ""
	a.Open, n.Open = !note, note
	p.Answer, p.Note = a, n
}

func (c *composer) fill(form map[string]string) { c.Form = page.Filled(form) }

func (v *view) kept(files []portal.File) []keptFile {
	var all []keptFile
	for _, f := range files {
		all = append(all, keptFile{strconv.FormatInt(int64(f.ID), 10), f.Name, v.Bytes(f.Size)})
	}
	return all
}

// fileIDs reads numbers of files.
func fileIDs(list []string) []portal.FileID {
	var ids []portal.FileID
	for _, s := range list[:min(len(list), 4*portal.MaxFiles)] {
		if id, err := strconv.ParseInt(s, 10, 64); err == nil {
			ids = append(ids, portal.FileID(id))
		}
	}
	return ids
}

// takeFiles puts what was chosen to the draft, takes off what was unchecked,
// and returns the files that are to go along.
func (s *Server) takeFiles(r *http.Request, n portal.TicketNumber, mode portal.DeskMode, f *page.Form) ([]portal.FileID, error) {
	shown, kept := fileIDs(f.Values["shown"]), fileIDs(f.Values["keep"])
	drop := slices.DeleteFunc(slices.Clone(shown), func(id portal.FileID) bool { return slices.Contains(kept, id) })
	if len(f.Files) == 0 && len(drop) == 0 {
		return kept, nil
	}
	all, err := s.app.KeepDeskFiles(r.Context(), visitFrom(r), n, mode, f.Uploads(), drop)
	if err != nil {
		return nil, err
	}
	// Those that came with this form are the last.
	for _, file := range all[max(len(all)-len(f.Files), 0):] {
		kept = append(kept, file.ID)
	}
	// They lie with the draft now: a refused form has not lost them.
	f.Names = nil
	return kept, nil
}

// readComposer reads the form of a mode, keeps its files, and what was typed
// when that is worth keeping.
func (s *Server) readComposer(r *http.Request, mode portal.DeskMode) (n portal.TicketNumber, f *page.Form, files []portal.FileID, err error) {
	if n, err = number(r); err != nil {
		return 0, nil, nil, err
	}
	f, err = page.ReadForm(r, s.tempDir)
	if err == nil {
		files, err = s.takeFiles(r, n, mode, f)
	}
	return n, f, files, err
}

func (s *Server) answerSend(w http.ResponseWriter, r *http.Request) error {
	n, f, files, err := s.readComposer(r, portal.ModeAnswer)
	if f == nil {
		return err
	}
	defer f.Close()
	if err == nil {
		var next portal.AfterAnswer
		seen, _ := strconv.ParseInt(f.Value("seen"), 10, 64) // what is no number has seen nothing
		if next, err = portal.ParseAfterAnswer(f.Value("next")); err == nil {
			_, err = s.app.SendAnswer(r.Context(), visitFrom(r), n, app.DeskAnswer{
				Body: f.Value("body"), Files: files, Next: next, Seen: portal.MessageID(seen), Anyway: f.Value("anyway") != "",
			})
		}
	}
	if err != nil {
		return s.composeAgain(w, r, n, portal.ModeAnswer, f, err)
	}
	return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/tickets/"+n.String()+"#waiting")
}

func (s *Server) noteSave(w http.ResponseWriter, r *http.Request) error {
	n, f, files, err := s.readComposer(r, portal.ModeNote)
	if f == nil {
		return err
	}
	defer f.Close()
	if err == nil {
		err = s.app.SaveNote(r.Context(), visitFrom(r), n, f.Value("body"), files)
	}
	if err != nil {
		return s.composeAgain(w, r, n, portal.ModeNote, f, err)
	}
	page.SetFlash(w, r, "note_saved")
	return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/tickets/"+n.String()+"#end")
}

// composeAgain shows the conversation with what was typed and could not be
// sent.
func (s *Server) composeAgain(w http.ResponseWriter, r *http.Request, n portal.TicketNumber, mode portal.DeskMode, f *page.Form, err error) error {
	if portal.KindOf(err) == portal.NotFound {
		return err
	}
	p, pageErr := s.conversationPage(w, r, n)
	if pageErr != nil {
		return errors.Join(pageErr, err)
	}
	c := &p.Answer
	if mode == portal.ModeNote {
		c = &p.Note
	}
	c.Form, p.Answer.Open, p.Note.Open = f, mode != portal.ModeNote, mode == portal.ModeNote
	for _, e := range portal.Errors(err) {
		if e.Code != "answer.newer" {
			continue
		}
		seen, _ := strconv.ParseInt(f.Value("seen"), 10, 64) // what is no number has seen nothing
		newer, newErr := s.app.NewerMessages(r.Context(), p.Visit, n, portal.MessageID(seen))
		if newErr != nil {
			return errors.Join(newErr, err)
		}
		for i := range newer {
			p.Newer = append(p.Newer, p.message(&newer[i]))
		}
		for _, item := range p.Items {
			if item.Due != "" && !item.Mine {
				p.Newer = append(p.Newer, item)
			}
		}
		c.Met = true
	}
	f.Refuse(w, r, p.Printer, p.label, err, "body", "files")
	return page.Render(w, r, f.Status, conversationView(p))
}

// compose keeps the form and shows it again, with a canned answer put in or
// with how it will look: what the script does without a new page.
func (s *Server) compose(w http.ResponseWriter, r *http.Request) error {
	mode := portal.DeskMode(r.PathValue("mode"))
	if mode != portal.ModeAnswer && mode != portal.ModeNote {
		return portal.NotFoundf("page.none", "there is no such page")
	}
	n, f, _, err := s.readComposer(r, mode)
	if f == nil {
		return err
	}
	defer f.Close()
	back := visitFrom(r).Portal.BasePath() + "/tickets/" + n.String() + "?mode=" + string(mode)
	form := map[string]string{"body": f.Value("body"), "next": f.Value("next")}
	if id, numErr := strconv.ParseInt(f.Value("canned"), 10, 64); err == nil && numErr == nil {
		var text string
		if text, err = s.app.FillCanned(r.Context(), visitFrom(r), n, portal.CannedID(id)); err == nil {
			form["body"] = strings.TrimLeft(strings.TrimRight(form["body"], "\r\n")+"\n\n"+text, "\r\n")
		}
	} else if f.Value("preview") != "" {
		back += "&preview=" + string(mode)
	}
	if err == nil {
		err = s.app.KeepDeskDraft(r.Context(), visitFrom(r), n, mode, form)
	}
	if err != nil {
		return s.composeAgain(w, r, n, mode, f, err)
	}
	return page.Redirect(w, r, back+"#"+string(mode))
}

// draftKeep keeps what is being written; the script asks for it.
func (s *Server) draftKeep(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	mode := portal.DeskMode(r.PathValue("mode"))
	if mode != portal.ModeAnswer && mode != portal.ModeNote {
		return portal.NotFoundf("page.none", "there is no such page")
	}
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err != nil {
		return err
	}
	form := map[string]string{"body": f.Value("body"), "next": f.Value("next")}
	if err := s.app.KeepDeskDraft(r.Context(), visitFrom(r), n, mode, form); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// preview shows Markdown as customers will see it.
func (s *Server) preview(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err != nil {
		return err
	}
	if len(f.Value("body")) > portal.MaxBody {
		return portal.Invalidf("field.too_large", "body", "the text is too long").With("Max", portal.MaxBody>>10)
	}
	// Whoever cannot see the ticket has nothing to preview for it.
	if _, err := s.app.NewerMessages(r.Context(), visitFrom(r), n, math.MaxInt64); err != nil {
		return err
	}
	return page.Render(w, r, http.StatusOK, page.Body(f.Value("body"), portal.Markdown))
}

// cannedFilled is a canned answer with the ticket's values, for the script to
// put where the cursor is.
func (s *Server) cannedFilled(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	id, err := cannedID(r)
	if err != nil {
		return err
	}
	text, err := s.app.FillCanned(r.Context(), visitFrom(r), n, id)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err = io.WriteString(w, text) //nolint:gosec // G705: plain text, which no browser takes for a page: see the type and nosniff
	return err
}

func (s *Server) answerUndo(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return portal.NotFoundf("page.none", "there is no such answer")
	}
	// Somebody else's ticket and one that does not exist are one answer.
	if _, err := s.app.NewerMessages(r.Context(), visitFrom(r), n, math.MaxInt64); err != nil {
		return err
	}
	_, err = s.app.UndoAnswer(r.Context(), visitFrom(r), portal.AnswerID(id))
	flash := "talk_undone"
	if portal.KindOf(err) == portal.Conflict {
		flash, err = "talk_too_late", nil
	}
	if err != nil {
		return err
	}
	page.SetFlash(w, r, flash)
	return page.Redirect(w, r, visitFrom(r).Portal.BasePath()+"/tickets/"+n.String()+"?mode=answer#answer")
}

// presenceNews is what an open page is told.
type presenceNews struct {
	Present []string `json:"present"`
	Newer   bool     `json:"newer"`
	Last    string   `json:"last"`
}

// presence notes that the page is open, and tells it what is new.
func (s *Server) presence(w http.ResponseWriter, r *http.Request) error {
	n, err := number(r)
	if err != nil {
		return err
	}
	f, err := page.ReadForm(r, s.tempDir)
	defer f.Close()
	if err != nil {
		return err
	}
	visit := visitFrom(r)
	if f.Value("mode") == "gone" {
		if err := s.app.EndPresence(r.Context(), visit, n); err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	seen, _ := strconv.ParseInt(f.Value("seen"), 10, 64) // what is no number has seen nothing
	pulse, err := s.app.KeepPresence(r.Context(), visit, n, portal.DeskMode(f.Value("mode")), portal.MessageID(seen))
	if err != nil {
		return err
	}
	v := &view{Printer: page.PrinterOf(visit)}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(presenceNews{v.presentWords(pulse.Present), pulse.Newer, strconv.FormatInt(int64(pulse.Last), 10)})
}

// portalMaxBody is the longest text, in bytes.
const portalMaxBody = portal.MaxBody

func (c *composer) label() string {
	if c.Note() {
		return c.T("talk.note_label")
	}
	return c.T("talk.answer_label", "Names", c.Readers)
}

func (c *composer) placeholder() string {
	if c.Note() {
		return c.T("talk.note_placeholder")
	}
	return c.T("talk.answer_placeholder")
}

// cannedPath leads to the pages of canned answers.
func (c *composer) cannedPath() string {
	base, _, _ := strings.Cut(c.Path, "/tickets/")
	return base + "/canned"
}

// key is the key that leads to the form.
func (c *composer) key() string {
	if c.Note() {
		return "n"
	}
	return "r"
}
