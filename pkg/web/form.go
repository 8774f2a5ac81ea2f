package web

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/portalctl/portalctl/pkg/app"
	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// form is what somebody typed, and what is wrong with it.
type form struct {
	values   url.Values
	files    []*os.File
	names    []string // of the files
	problems []problem
	status   int // of the answer that shows the problems
}

// problem is shown in the summary and beside its field.
type problem struct {
	Field string // "" for one of the whole form
	Label string // what the field is called
	Text  string
}

// Value is what was typed into a field.
func (f *form) Value(name string) string {
	if f == nil {
		return ""
	}
	return f.values.Get(name)
}

// Problem is what is wrong with a field, or "".
func (f *form) Problem(name string) string {
	if f == nil {
		return ""
	}
	for _, p := range f.problems {
		if p.Field == name {
			return p.Text
		}
	}
	return ""
}

// Problems are all of them.
func (f *form) Problems() []problem {
	if f == nil {
		return nil
	}
	return f.problems
}

// filled makes a form with values nobody has sent yet.
func filled(values map[string]string) *form {
	f := &form{values: url.Values{}}
	for name, value := range values {
		f.values.Set(name, value)
	}
	return f
}

// call names the problems of a field as this form names the field.
func (f *form) call(field, label string) {
	for i := range f.problems {
		if f.problems[i].Field == field {
			f.problems[i].Label = label
		}
	}
}

// refuse turns an error into problems and the status of the answer. Problems of
// fields the form does not have stand in the summary alone.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, v *view, f *form, err error, fields ...string) {
	f.status = s.blame(w, r, err)
	all := portal.Errors(err)
	if f.status == http.StatusRequestEntityTooLarge {
		f.problems = append(f.problems, problem{Text: v.T("form.too_large", "Size", v.Bytes(portal.MaxFiles*portal.MaxFileSize))})
		return
	}
	if len(all) == 0 || f.status == http.StatusInternalServerError {
		text := v.words(&portal.Error{Kind: portal.Internal})
		f.problems = append(f.problems, problem{Text: text + " " + v.T("failed.reference", "Ref", page.InfoFrom(r.Context()).Ref)})
		return
	}
	for _, e := range all {
		p := problem{Text: v.words(e)}
		for _, name := range fields {
			if name == e.Field || strings.HasSuffix(name, "*") && strings.HasPrefix(e.Field, strings.TrimSuffix(name, "*")) {
				p.Field, p.Label = e.Field, v.labelOf(e.Field)
			}
		}
		f.problems = append(f.problems, p)
	}
	// A browser shows a form again without its files, and only we can say so.
	if len(f.names) > 0 && slices.Contains(fields, "files") && f.Problem("files") == "" {
		f.problems = append(f.problems, problem{Field: "files", Label: v.labelOf("files"), Text: v.T("files.again")})
	}
}

// readForm reads what was posted. On an error the form holds what could be
// read, so that it can be shown again. close it when done.
func (s *Server) readForm(r *http.Request) (*form, error) { return s.read(r, true) }

// readTyped reads what was typed and passes over files: for somebody who may
// not send any.
func (s *Server) readTyped(r *http.Request) *form {
	f, _ := s.read(r, false) // as much of it as there is
	return f
}

func (s *Server) read(r *http.Request, files bool) (*form, error) {
	f := &form{values: url.Values{}}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return f, nil // no type, and so no body: formType has looked
	}
	if kind == "multipart/form-data" {
		return f, s.readParts(multipart.NewReader(r.Body, params["boundary"]), f, files)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostText+1))
	if len(body) > mostText {
		body, err = body[:mostText], errTooLarge
	}
	// Of a body that is too long the beginning is worth showing; a value cut
	// in the middle of an escape is not.
	f.values, _ = url.ParseQuery(string(body))
	if f.values == nil {
		f.values = url.Values{}
	}
	return f, bodyError(err)
}

// bodyError tells a body that is too long from one that broke off, which is
// nobody's fault but needs no line in the log.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge), errors.Is(err, errTooLarge):
		return errTooLarge
	}
	return (&portal.Error{Kind: portal.Invalid, Code: "form.broken", Msg: "the form did not arrive whole", Err: err})
}

// largestField is the longest text field that is read, mostText what all of
// them may take together: a route that takes files takes far more, but only
// files are kept on disk.
const (
	largestField = text
	mostText     = 2 * text
)

// readParts reads a form with files. Files go to disk as they arrive, however
// many come at once. What is wrong with one of them is reported at the end,
// so that fields behind it are not lost.
func (s *Server) readParts(parts *multipart.Reader, f *form, files bool) error {
	var problems []error
	for room := mostText; ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return errors.Join(problems...)
		}
		if err != nil {
			return bodyError(err)
		}
		if room -= len(part.FormName()) + len(part.FileName()); room <= 0 {
			return errTooLarge
		}
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, int64(min(largestField, room))+1))
			if err != nil {
				return bodyError(err)
			}
			if len(value) > largestField {
				value = value[:largestField]
			}
			if room -= len(value); room <= 0 {
				return errTooLarge
			}
			if len(f.values) < 200 {
				f.values.Add(part.FormName(), string(value))
			}
			continue
		}
		if part.FormName() != "files" || !files {
			continue
		}
		if len(f.files) == portal.MaxFiles {
			problems = []error{portal.Invalidf("file.too_many", "files", "more than %d files", portal.MaxFiles).With("Max", portal.MaxFiles)}
			continue
		}
		if err := s.readFile(part, f); err != nil {
			if portal.KindOf(err) != portal.Invalid {
				return err
			}
			problems = append(problems, err)
		}
	}
}

func (s *Server) readFile(part *multipart.Part, f *form) error {
	name := part.FileName()
	tmp, err := os.CreateTemp(s.tempDir, "portalctl-upload-*")
	if err != nil {
		return noRoom(err)
	}
	// Where a file can lose its name while it is open, a crash leaves nothing of
	// a customer's behind.
	_ = os.Remove(tmp.Name())
	f.files, f.names = append(f.files, tmp), append(f.names, name)
	n, err := io.Copy(diskWriter{tmp}, io.LimitReader(part, portal.MaxFileSize+1))
	var full *diskError
	switch {
	case errors.As(err, &full):
		return noRoom(err)
	case err != nil:
		return bodyError(err)
	case n > portal.MaxFileSize:
		return portal.Invalidf("file.too_large", "files", "the file %q is larger than 25 MiB", name).With("Name", name).With("Max", portal.MaxFileSize>>20)
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return noRoom(err)
	}
	return nil
}

func noRoom(err error) error {
	return &portal.Error{Kind: portal.Unavailable, Code: "file.no_room", Field: "files", Msg: "files cannot be taken at the moment", Err: err}
}

// diskWriter marks errors of the disk, to tell them from those of the network.
type diskWriter struct{ f *os.File }

type diskError struct{ err error }

func (e *diskError) Error() string { return e.err.Error() }
func (e *diskError) Unwrap() error { return e.err }

func (d diskWriter) Write(p []byte) (int, error) {
	n, err := d.f.Write(p)
	if err != nil {
		err = &diskError{err}
	}
	return n, err
}

// uploads are the form's files as the app takes them.
func (f *form) uploads() []app.Upload {
	list := make([]app.Upload, len(f.files))
	for i, file := range f.files {
		list[i] = app.Upload{Name: f.names[i], Content: file}
	}
	return list
}

// close removes the files, where they still have a name.
func (f *form) close() {
	for _, file := range f.files {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}
}

// draftFields are the fields of a form that are worth keeping.
func (f *form) draftFields() map[string]string {
	kept := map[string]string{}
	for name, values := range f.values {
		switch {
		case name == "subject", name == "body", name == "participants", name == "confidential", name == "follows", strings.HasPrefix(name, "field_"):
			if value := values[0]; value != "" && len(value) <= portal.MaxBody {
				kept[name] = value
			}
		}
	}
	return kept
}
