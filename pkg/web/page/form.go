package page

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
	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

// Form is what somebody typed, and what is wrong with it.
type Form struct {
	Values   url.Values
	Files    []*os.File
	Names    []string // of the files
	Status   int      // of the answer that shows the problems
	problems []Problem
	tempDir  string
}

// Problem is shown in the summary and beside its field.
type Problem struct {
	Field string // "" for one of the whole form
	Label string // what the field is called
	Text  string
}

// Value is what was typed into a field.
func (f *Form) Value(name string) string {
	if f == nil {
		return ""
	}
	return f.Values.Get(name)
}

// Problem is what is wrong with a field, or "".
func (f *Form) Problem(name string) string {
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
func (f *Form) Problems() []Problem {
	if f == nil {
		return nil
	}
	return f.problems
}

// Filled makes a form with values nobody has sent yet.
func Filled(values map[string]string) *Form {
	f := &Form{Values: url.Values{}}
	for name, value := range values {
		f.Values.Set(name, value)
	}
	return f
}

// Call names the problems of a field as this form names the field.
func (f *Form) Call(field, label string) {
	for i := range f.problems {
		if f.problems[i].Field == field {
			f.problems[i].Label = label
		}
	}
}

// Labels are what fields are called.
type Labels func(field string) string

// Refuse turns an error into problems and the status of the answer. Problems of
// fields the form does not have stand in the summary alone.
func (f *Form) Refuse(w http.ResponseWriter, r *http.Request, p *i18n.Printer, labels Labels, err error, fields ...string) {
	f.Status = Blame(w, r, err)
	all := portal.Errors(err)
	if f.Status == http.StatusRequestEntityTooLarge {
		f.problems = append(f.problems, Problem{Text: p.T("form.too_large", "Size", p.Bytes(portal.MaxFiles*portal.MaxFileSize))})
		return
	}
	if len(all) == 0 || f.Status == http.StatusInternalServerError {
		text := Words(p, &portal.Error{Kind: portal.Internal})
		f.problems = append(f.problems, Problem{Text: text + " " + p.T("failed.reference", "Ref", InfoFrom(r.Context()).Ref)})
		return
	}
	for _, e := range all {
		one := Problem{Text: Words(p, e)}
		for _, name := range fields {
			if name == e.Field || strings.HasSuffix(name, "*") && strings.HasPrefix(e.Field, strings.TrimSuffix(name, "*")) {
				one.Field, one.Label = e.Field, labels(e.Field)
			}
		}
		f.problems = append(f.problems, one)
	}
	// A browser shows a form again without its files, and only we can say so.
	if len(f.Names) > 0 && slices.Contains(fields, "files") && f.Problem("files") == "" {
		f.problems = append(f.problems, Problem{Field: "files", Label: labels("files"), Text: p.T("files.again")})
	}
}

// ReadForm reads what was posted. On an error the form holds what could be
// read, so that it can be shown again. Files go to tempDir ("": the system's).
// Close it when done.
func ReadForm(r *http.Request, tempDir string) (*Form, error) {
	f := &Form{Values: url.Values{}, tempDir: tempDir}
	return f, f.read(r, true)
}

// ReadTyped reads what was typed and passes over files: for somebody who may
// not send any.
func ReadTyped(r *http.Request) *Form {
	f := &Form{Values: url.Values{}}
	_ = f.read(r, false) // as much of it as there is
	return f
}

func (f *Form) read(r *http.Request, files bool) error {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil // no type, and so no body: FormType has looked
	}
	if kind == "multipart/form-data" {
		return f.readParts(multipart.NewReader(r.Body, params["boundary"]), files)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostText+1))
	if len(body) > mostText {
		body, err = body[:mostText], ErrTooLarge
	}
	// Of a body that is too long the beginning is worth showing; a value cut
	// in the middle of an escape is not.
	f.Values, _ = url.ParseQuery(string(body))
	if f.Values == nil {
		f.Values = url.Values{}
	}
	return bodyError(err)
}

// bodyError tells a body that is too long from one that broke off, which is
// nobody's fault but needs no line in the log.
func bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge), errors.Is(err, ErrTooLarge):
		return ErrTooLarge
	}
	return (&portal.Error{Kind: portal.Invalid, Code: "form.broken", Msg: "the form did not arrive whole", Err: err})
}

// largestField is the longest text field that is read, mostText what all of
// them may take together: a route that takes files takes far more, but only
// files are kept on disk.
const (
	largestField = 1 << 20
	mostText     = 2 * largestField
)

// readParts reads a form with files. Files go to disk as they arrive, however
// many come at once. What is wrong with one of them is reported at the end,
// so that fields behind it are not lost.
func (f *Form) readParts(parts *multipart.Reader, files bool) error {
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
			return ErrTooLarge
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
				return ErrTooLarge
			}
			if len(f.Values) < 200 {
				f.Values.Add(part.FormName(), string(value))
			}
			continue
		}
		if part.FormName() != "files" || !files {
			continue
		}
		if len(f.Files) == portal.MaxFiles {
			problems = []error{portal.Invalidf("file.too_many", "files", "more than %d files", portal.MaxFiles).With("Max", portal.MaxFiles)}
			continue
		}
		if err := f.readFile(part); err != nil {
			if portal.KindOf(err) != portal.Invalid {
				return err
			}
			problems = append(problems, err)
		}
	}
}

func (f *Form) readFile(part *multipart.Part) error {
	name := part.FileName()
	tmp, err := os.CreateTemp(f.tempDir, "portalctl-upload-*")
	if err != nil {
		return noRoom(err)
	}
	// Where a file can lose its name while it is open, a crash leaves nothing of
	// a customer's behind.
	_ = os.Remove(tmp.Name())
	f.Files, f.Names = append(f.Files, tmp), append(f.Names, name)
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

// Uploads are the form's files as the app takes them.
func (f *Form) Uploads() []app.Upload {
	list := make([]app.Upload, len(f.Files))
	for i, file := range f.Files {
		list[i] = app.Upload{Name: f.Names[i], Content: file}
	}
	return list
}

// Close removes the files, where they still have a name.
func (f *Form) Close() {
	for _, file := range f.Files {
		_ = file.Close()
		_ = os.Remove(file.Name())
	}
}
