package incoming

import (
	"github.com/jhillyerd/enmime/v2"

	"github.com/portalctl/portalctl/pkg/portal"
)

func bounceOf(*enmime.Part, *portal.Incoming) *portal.Bounce { return nil }
