package rule

import (
	"strings"

	"golang.org/x/net/publicsuffix"

	"lxd-allowlist/export/rule/known"
)

// tooBroad says why a suffix rule on a clean name would open far more than
// anyone can mean, "" if it wouldn't.
func tooBroad(name string) string {
	if !strings.Contains(name, ".") {
		return "is a top-level domain or a single label: as a suffix it allows everything below it"
	}
	if suffix, registry := PublicSuffix(name); registry && suffix == name {
		return "is a public suffix: as a suffix it allows everybody's domains below it"
	}
	return ""
}

// PublicSuffix returns the public suffix of a name, and whether it is a
// registry's, and not somebody's who lets out names below their own.
func PublicSuffix(name string) (suffix string, registry bool) {
	suffix, registry = publicsuffix.PublicSuffix(name)
	if registry && strings.Contains(suffix, ".") {
		// That is of the last node of the library's tree, which need be in no rule:
		// dualstack.us-east-1.amazonaws.com is none, but s3.dualstack below it is.
		_, registry = publicsuffix.PublicSuffix(suffix)
	}
	return suffix, registry
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
