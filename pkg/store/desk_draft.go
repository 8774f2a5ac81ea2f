package store

import (
	"context"
	"time"

	"github.com/portalctl/portalctl/pkg/portal"
)

// DeskDraft is what an agent typed on the help desk and has not sent.
type DeskDraft struct {
	Form      map[string]string
	Why       string // an answer that came back instead of being sent: the reason's code
	UpdatedAt time.Time
	Files     []portal.File
}

// DeskDraft returns what an agent typed under a key, with the files that were
// put to it; empty when there is none.
func (tx *Tx) DeskDraft(ctx context.Context, agent portal.AgentID, key string) (*DeskDraft, error) {
	d := &DeskDraft{}
	_, err := tx.one(ctx, `SELECT form, why, updated_at FROM desk_draft WHERE agent_id = $1 AND key = $2`, []any{agent, key},
		func(r row) error { return r.Scan(jsonInto{&d.Form}, &d.Why, timeInto{&d.UpdatedAt}) })
	if err != nil {
		return nil, err
	}
	d.Files, err = list(ctx, tx, `SELECT `+deskFileColumns+` FROM desk_file WHERE agent_id = $1 AND key = $2 AND answer_id IS NULL ORDER BY id`,
		[]any{agent, key}, scanDeskFile)
	return d, err
}

// SaveDeskDraft keeps what an agent typed, in place of what was kept before.
// Why an answer came back stays until the draft goes.
func (tx *Tx) SaveDeskDraft(ctx context.Context, agent portal.AgentID, key string, form map[string]string) error {
	return tx.do(ctx, `INSERT INTO desk_draft (agent_id, key, form, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (agent_id, key) DO UPDATE SET form = excluded.form, updated_at = excluded.updated_at`,
		agent, key, mapJSON(form), stamp(tx.Now))
}

// ReturnDeskDraft is SaveDeskDraft with the reason why an answer came back.
func (tx *Tx) ReturnDeskDraft(ctx context.Context, agent portal.AgentID, key string, form map[string]string, why string) error {
	if err := tx.SaveDeskDraft(ctx, agent, key, form); err != nil {
		return err
	}
	return tx.do(ctx, `UPDATE desk_draft SET why = $3 WHERE agent_id = $1 AND key = $2`, agent, key, why)
}

// RemoveDeskDraft forgets what an agent typed; files stay until they are
// dropped, sent or swept out.
func (tx *Tx) RemoveDeskDraft(ctx context.Context, agent portal.AgentID, key string) error {
	return tx.do(ctx, `DELETE FROM desk_draft WHERE agent_id = $1 AND key = $2`, agent, key)
}

const deskFileColumns = `id, name, type, size, sha256, at`

func scanDeskFile(r row) (f portal.File, err error) {
	err = r.Scan(&f.ID, &f.Name, &f.Type, &f.Size, &f.SHA256, timeInto{&f.At})
	return f, err
}

// AddDeskFiles puts files to a draft and sets their ids, which are not those
// of files in messages.
func (tx *Tx) AddDeskFiles(ctx context.Context, agent portal.AgentID, key string, files []portal.File) error {
	for i := range files {
		f := &files[i]
		f.At = tx.Now
		err := tx.value(ctx, &f.ID, `INSERT INTO desk_file (agent_id, key, name, type, size, sha256, at)
			VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`, agent, key, f.Name, f.Type, f.Size, f.SHA256, stamp(f.At))
		if err != nil {
			return err
		}
	}
	return nil
}

// DropDeskFile takes a file off an agent's draft; one that is not there is no
// error.
func (tx *Tx) DropDeskFile(ctx context.Context, agent portal.AgentID, key string, id portal.FileID) error {
	return tx.do(ctx, `DELETE FROM desk_file WHERE id = $3 AND agent_id = $1 AND key = $2 AND answer_id IS NULL`, agent, key, id)
}
