package web

import (
	"encoding/csv"
	"net/http"
	"strings"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
	"github.com/portalctl/portalctl/pkg/web/page"
)

// ticketsCSV is the list as it is filtered, as a file. The mark in front tells
// spreadsheets that it is UTF-8.
func (s *Server) ticketsCSV(w http.ResponseWriter, r *http.Request) error {
	v := s.view(w, r, "")
	q, _ := s.listQuery(r, v.Zone)
	q.After, q.Before = "", ""
	columns := listColumns(v)
	b := page.Buffer()
	defer page.Release(b)
	b.WriteString("\ufeff")
	out := csv.NewWriter(b)
	record := make([]string, len(columns))
	for i, c := range columns {
		record[i] = page.CSVCell(v.columnLabel(c))
	}
	if err := out.Write(record); err != nil {
		return err
	}
	err := s.app.ExportTickets(r.Context(), v.Visit, q, func(t *portal.TicketRow) error {
		for i, c := range columns {
			record[i] = page.CSVCell(v.csvValue(t, c))
		}
		return out.Write(record)
	})
	if err != nil {
		return err
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return err
	}
	name := strings.Trim(v.Visit.Portal.Slug+"-"+strings.ToLower(v.Many)+"-"+v.Now.In(v.Zone).Format(time.DateOnly)+".csv", "-")
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", disposition("attachment", name))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes()) // the visitor may be gone
	}
	return nil
}

func (v *view) csvValue(t *portal.TicketRow, c portal.TicketColumn) string {
	switch c {
	case portal.ColumnNumber:
		return t.Number.String()
	case portal.ColumnSubject:
		return t.Subject
	case portal.ColumnStatus:
		return v.status(t.Status)
	case portal.ColumnPriority:
		return v.T("priority." + string(t.Priority))
	case portal.ColumnCategory:
		return t.Category
	case portal.ColumnRequester:
		return t.RequesterName
	case portal.ColumnCompany:
		return t.CompanyName
	case portal.ColumnAssignee:
		return v.agentName(t.AssigneeName)
	case portal.ColumnCreated:
		return t.CreatedAt.In(v.Zone).Format("2006-01-02 15:04")
	case portal.ColumnUpdated:
		return t.UpdatedAt.In(v.Zone).Format("2006-01-02 15:04")
	}
	return ""
}
