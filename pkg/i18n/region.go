package i18n

import (
	"strings"
	"time"

	"golang.org/x/text/language"
)

// What a reader's country decides is CLDR 48's answer (cldr-core,
// supplemental/timeData.json and weekData.json). Countries that are not here
// count hours to 24 and begin their weeks on Monday.

// twelve are the countries whose preferred clock has twelve hours. 419 is
// Latin America, which browsers send for Spanish.
var twelve = regions(`419 AE AG AL AR AS AU BB BD BH BM BN BO BS BT CA CL CO CR CU CY DJ DM DO DZ EC EG EH ER ET FJ
	FM GD GH GM GR GT GU GY HK HN IN IQ JM JO KH KI KN KP KR KW KY LB LC LR LS LY MH MO MP MR MW MX MY NA NI NZ OM
	PA PE PG PH PK PR PS PW PY QA SA SB SD SG SL SO SS SV SY SZ TC TD TN TO TT TW UM US UY VC VE VG VI VU WS YE ZM`)

// clockOf are the languages that differ from their country.
var clockOf = map[string]int{"fr-CA": 24, "en-IL": 24}

// Weeks that begin on another day than Monday.
var (
	sundays   = regions(`AG AS BD BR BS BT BW BZ CA CO DM DO ET GT GU HK HN ID IL IN IS JM JP KE KH KR LA MH MM MO MT MX MZ NI NP PA PE PH PK PR PT PY SA SG SV TH TT TW UM US VE VI WS YE ZA ZW`)
	saturdays = regions(`AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY`)
	fridays   = regions(`MV`)
)

func regions(s string) map[string]bool {
	set := map[string]bool{}
	for _, r := range strings.Fields(s) {
		set[r] = true
	}
	return set
}

// regionOf is the country a tag names, or the part of the world, such as 419;
// "" when it names none. What CLDR would guess for a language does not count.
func regionOf(tag language.Tag) string {
	r, confidence := tag.Region()
	if confidence < language.Exact || !r.IsCountry() && !r.IsGroup() {
		return ""
	}
	return r.String()
}

// hoursOf is how many hours a country's clock counts.
func hoursOf(code, region string) int {
	if hours := clockOf[code+"-"+region]; hours != 0 {
		return hours
	}
	if twelve[region] {
		return 12
	}
	return 24
}

// weekStartOf is the day a country's weeks begin with.
func weekStartOf(region string) time.Weekday {
	switch {
	case sundays[region]:
		return time.Sunday
	case saturdays[region]:
		return time.Saturday
	case fridays[region]:
		return time.Friday
	}
	return time.Monday
}
