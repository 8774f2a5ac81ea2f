package store

import (
	"context"

	"github.com/portalctl/portalctl/pkg/portal"
)

// Image is a picture of a portal's face.
type Image struct {
	Kind   portal.ImageKind
	SHA256 string // of its bytes, in hex
	Type   string
	Data   []byte
}

// SaveImages keeps the new pictures of a portal and removes those its brand
// does not name any more.
func (tx *Tx) SaveImages(ctx context.Context, p *portal.Portal, images []Image) error {
	for _, i := range images {
		err := tx.do(ctx, `INSERT INTO portal_image (portal_id, kind, sha256, type, data, created_at) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (portal_id, kind) DO UPDATE SET sha256 = excluded.sha256, type = excluded.type, data = excluded.data,
			created_at = excluded.created_at`, p.ID, i.Kind, i.SHA256, i.Type, i.Data, stamp(tx.Now))
		if err != nil {
			return err
		}
	}
	kept, err := list(ctx, tx, `SELECT kind FROM portal_image WHERE portal_id = $1`, []any{p.ID},
		func(r row) (k portal.ImageKind, err error) { return k, r.Scan(&k) })
	if err != nil {
		return err
	}
	for _, kind := range kept {
		if p.Brand.Image(kind) != nil {
			continue
		}
		if err := tx.do(ctx, `DELETE FROM portal_image WHERE portal_id = $1 AND kind = $2`, p.ID, kind); err != nil {
			return err
		}
	}
	return nil
}

// Image returns the picture with a hash; NotFound portal.no_image.
func (tx *Tx) Image(ctx context.Context, sha256 string) (*Image, error) {
	return find(ctx, tx, noImage(), `SELECT kind, sha256, type, data FROM portal_image WHERE sha256 = $1 LIMIT 1`, []any{sha256}, scanImage)
}

// ImageOf returns a portal's picture of a kind; NotFound portal.no_image.
func (tx *Tx) ImageOf(ctx context.Context, id portal.PortalID, kind portal.ImageKind) (*Image, error) {
	return find(ctx, tx, noImage(), `SELECT kind, sha256, type, data FROM portal_image WHERE portal_id = $1 AND kind = $2`, []any{id, kind}, scanImage)
}

func scanImage(r row) (i Image, err error) { return i, r.Scan(&i.Kind, &i.SHA256, &i.Type, &i.Data) }

func noImage() error { return portal.NotFoundf("portal.no_image", "there is no such picture") }
