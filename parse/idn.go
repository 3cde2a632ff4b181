package parse

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// idn are names as people type them (UTS 46). Underscores stay: they are in
// names that are looked up, though in no host's.
var idn = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.CheckJoiners(true), idna.Transitional(false), idna.StrictDomainName(false))

// ASCII returns a name as DNS has it, of one as people write it: "Bücher.example"
// is "xn--bcher-kva.example". What is ASCII is lower-cased only.
func ASCII(name string) (string, error) {
	if isASCII(name) {
		return strings.ToLower(name), nil
	}
	return idn.ToASCII(name)
}

// Readable returns what people read in a normalised name with an A-label:
// "bücher.example"; "" for all others, and where a label is none that IDNA
// allows. It may look like another name, so it is shown beside this one and
// never instead.
func Readable(name string) string {
	if !strings.Contains(name, "xn--") {
		return ""
	}
	text, err := idn.ToUnicode(name)
	if err != nil || isASCII(text) {
		return ""
	}
	if back, err := idn.ToASCII(text); err != nil || back != name {
		return ""
	}
	return text
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
