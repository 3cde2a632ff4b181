package rule

import (
	"strings"

	"lxd-allowlist/export/rule/known"
	"lxd-allowlist/export/rule/psl"
	"lxd-allowlist/parse"
)

// tooBroad says why a suffix rule on a clean name would open far more than
// anyone can mean, "" if it wouldn't.
func tooBroad(name string) string {
	if !strings.Contains(name, ".") {
		return "is a top-level domain or a single label: as a suffix it allows everything below it"
	}
	if suffix, registry := psl.PublicSuffix(name); registry && suffix == name {
		return "is a public suffix: as a suffix it allows everybody's domains below it"
	}
	return ""
}

// Registrable returns the domain that somebody registered to have the name, ""
// where nobody could: it is a public suffix, no registry has its top-level domain,
// as with a network's own names, or it is of special use.
//
//	www.example.co.uk     example.co.uk
//	registry.npmjs.lxd    none
func Registrable(name string) string {
	suffix, registry := psl.PublicSuffix(name)
	switch parse.SpecialUse([]byte(name)) {
	case parse.Documentation: // stands for names that somebody has
	case parse.Onion: // which is in the list of public suffixes
		return ""
	default:
		if !registry && !strings.Contains(suffix, ".") || suffix == "arpa" || strings.HasSuffix(suffix, ".arpa") {
			return ""
		}
	}
	domain, _ := psl.PlusOne(name)
	return domain
}

// Warning says what a rule opens beyond what was probably meant, "" if nothing
// is known. An exact rule can be too broad, too: see [known.Warning].
func (r Rule) Warning() string {
	if _, is := r.Pattern(); is {
		if first, after, _ := strings.Cut(r.Name, "."); strings.Contains(first, "<") { // as [Patterns] does
			return known.PatternWarning(after)
		}
		return ""
	}
	return known.Warning(r.Name, r.Suffix)
}
