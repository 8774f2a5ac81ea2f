package page

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/portalctl/portalctl/pkg/i18n"
	"github.com/portalctl/portalctl/pkg/portal"
)

// Refusals of HTTP's own, which have no portal.Kind.
var (
	ErrMethod    = errors.New("method not allowed")
	ErrMediaType = errors.New("not a form")
	ErrTooLarge  = errors.New("the request is too large")
)

// Blame returns the status of an error, sets the headers that go with it and
// remembers for the log what the visitor is not told.
func Blame(w http.ResponseWriter, r *http.Request, err error) int {
	status := StatusOf(err)
	if status >= 500 {
		InfoFrom(r.Context()).Err = err
	}
	switch status {
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter(err)))
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "30")
	}
	return status
}

// StatusOf is the status of an error.
func StatusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, ErrMethod):
		return http.StatusMethodNotAllowed
	case errors.Is(err, ErrMediaType):
		return http.StatusUnsupportedMediaType
	case errors.Is(err, ErrTooLarge), errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	}
	var e *portal.Error
	if errors.As(err, &e) {
		switch e.Code {
		case "host.unknown":
			return http.StatusMisdirectedRequest
		case "token.used", "token.expired":
			return http.StatusGone
		}
	}
	// Of several errors, the one that is not the visitor's doing decides.
	worst := portal.KindOf(err)
	for _, one := range portal.Errors(err) {
		if one.Kind == portal.Internal || one.Kind == portal.Unavailable {
			worst = one.Kind
		}
	}
	switch worst {
	case portal.Invalid:
		return http.StatusUnprocessableEntity
	case portal.NotFound:
		return http.StatusNotFound
	case portal.Conflict:
		return http.StatusConflict
	case portal.Forbidden:
		return http.StatusForbidden
	case portal.Unavailable:
		return http.StatusServiceUnavailable
	case portal.TooMany:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}

func retryAfter(err error) int {
	var e *portal.Error
	if errors.As(err, &e) {
		if seconds, ok := e.Args["RetryAfter"].(int); ok && seconds > 0 {
			return seconds
		}
	}
	return 60
}

// ErrorWords are the heading and the sentence of an error page.
func ErrorWords(v *i18n.Printer, status int, err error) (heading, text string) {
	switch status {
	case http.StatusNotFound, http.StatusForbidden, http.StatusConflict, http.StatusTooManyRequests,
		http.StatusServiceUnavailable, http.StatusMisdirectedRequest, http.StatusRequestEntityTooLarge,
		http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType, http.StatusGone, http.StatusUnprocessableEntity:
	default:
		status = http.StatusInternalServerError
	}
	code := strconv.Itoa(status)
	heading, text = v.T("failed."+code+".title"), v.T("failed."+code+".text")
	var e *portal.Error
	if errors.As(err, &e) && status != http.StatusNotFound && status < 500 {
		if own, ok := v.ErrorText(e.Code, e.Args); ok {
			text = own
		}
	}
	return heading, text
}

// Words is the text of one error, for a form.
func Words(v *i18n.Printer, e *portal.Error) string {
	if e.Kind != portal.Internal {
		if own, ok := v.ErrorText(e.Code, e.Args); ok {
			return own
		}
	}
	own, _ := v.ErrorText("kind."+e.Kind.String(), e.Args)
	return own
}
