package web

import "github.com/portalctl/portalctl/pkg/app"

// passkeyItem is a passkey of the account's list.
type passkeyItem struct {
	app.PasskeyInfo
	Made, Used moment
	Elsewhere  bool // it works at another host only
}

func (p *accountPage) passkeys() []passkeyItem {
	var list []passkeyItem
	for _, k := range p.Passkeys {
		list = append(list, passkeyItem{
			PasskeyInfo: k, Made: p.moment(k.CreatedAt), Used: p.moment(k.UsedAt), Elsewhere: k.Host != p.PasskeyHost,
		})
	}
	return list
}
