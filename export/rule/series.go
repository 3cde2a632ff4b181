package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lxd-allowlist/parse"
)

// What a pattern's text leaves open: a number, of as many digits as the zeros
// say at least and the nines at most, or a region that is a whole label.
var (
	openPart   = regexp.MustCompile(`<(0{1,4})-(9{1,4})>|<region>`)
	openDigits = regexp.MustCompile(`\[0-9\]\{([1-4]),([1-4])\}`)
)

// longestRegion stands for any of them where a name's length counts.
const longestRegion = "southamerica-northeast-99-f"

// Pattern returns the pattern that a rule is; false for any other. A name has no
// "<", so that neither is ever taken for the other.
func (r Rule) Pattern() (p Pattern, is bool) {
	if r.Suffix || !strings.Contains(r.Name, "<") {
		return p, false
	}
	return ParsePattern(r.Name)
}

// ParsePattern reads a pattern's text: "results<0-99>.blob.example.net". One
// label is left open, and all names that match could stand in a list.
func ParsePattern(text string) (p Pattern, ok bool) {
	open := 0
	for label := range strings.SplitSeq(text, ".") {
		if parts := openPart.FindAllString(label, -1); len(parts) > 0 {
			if open++; len(parts) > 1 && strings.Contains(label, "<region>") || parts[0] == "<region>" && label != parts[0] {
				return p, false
			}
		}
	}
	longest := openPart.ReplaceAllStringFunc(text, func(part string) string {
		if part == "<region>" {
			return longestRegion
		}
		zeros, nines, _ := strings.Cut(strings.Trim(part, "<>"), "-")
		if len(zeros) > len(nines) {
			return part // stays, and is no name
		}
		return nines
	})
	if open != 1 || text != strings.ToLower(text) || !parse.Clean([]byte(longest)) {
		return p, false
	}
	return Pattern{Text: text, Regexp: "^" + expression(text) + "$"}, true
}

// expression is what matches a pattern's names, without its ends.
func expression(text string) string {
	var b strings.Builder
	at := 0
	for _, m := range openPart.FindAllStringSubmatchIndex(text, -1) {
		b.WriteString(regexp.QuoteMeta(text[at:m[0]]))
		if m[2] < 0 {
			b.WriteString(regionText)
		} else {
			fmt.Fprintf(&b, "[0-9]{%d,%d}", m[3]-m[2], m[5]-m[4])
		}
		at = m[1]
	}
	return b.String() + regexp.QuoteMeta(text[at:])
}

// extendedRegion is regionText without what POSIX doesn't know.
var extendedRegion = strings.ReplaceAll(regionText, "(?:", "(")

// Extended returns the pattern as a POSIX extended regular expression without
// its ends. Perl's read it, too.
func (p Pattern) Extended() string {
	return strings.ReplaceAll(expression(p.Text), regionText, extendedRegion)
}

// FromExtended reads what [Pattern.Extended] wrote.
func FromExtended(text string) (p Pattern, ok bool) {
	return fromExpression(strings.ReplaceAll(text, extendedRegion, regionText))
}

// FromRegexp reads a pattern's Regexp.
func FromRegexp(text string) (p Pattern, ok bool) {
	bare, begins := strings.CutPrefix(text, "^")
	bare, ends := strings.CutSuffix(bare, "$")
	if !begins || !ends {
		return p, false
	}
	return fromExpression(bare)
}

// fromExpression reads what expression wrote, and nothing else.
func fromExpression(expr string) (p Pattern, ok bool) {
	if !strings.ContainsAny(expr, "[(<") { // a name, as nearly always
		return p, false
	}
	text := openDigits.ReplaceAllStringFunc(strings.ReplaceAll(expr, regionText, "<region>"), func(part string) string {
		m := openDigits.FindStringSubmatch(part)
		return "<" + strings.Repeat("0", int(m[1][0]-'0')) + "-" + strings.Repeat("9", int(m[2][0]-'0')) + ">"
	})
	p, ok = ParsePattern(strings.ReplaceAll(text, `\.`, "."))
	return p, ok && expression(p.Text) == expr
}

// Matcher returns what the pattern matches: normalised names, from the first to
// the last letter.
func (p Pattern) Matcher() func(name string) bool { return regexp.MustCompile(p.Regexp).MatchString }

// Overlaps reports whether a name of the pattern's may be one of a rule's about
// names.
func (p Pattern) Overlaps(r Rule) bool {
	text := p.Text
	for r.Suffix && strings.Count(text, ".") > strings.Count(r.Name, ".") {
		text = Parent(text)
	}
	return regexp.MustCompile("^" + expression(text) + "$").MatchString(r.Name)
}

// isWithin reports whether another pattern is the same but for numbers, for which
// it has as much room or more, and so matches all that this one does.
func (p Pattern) isWithin(o Pattern) bool {
	numbers, others := openPart.FindAllStringSubmatch(p.Text, -1), openPart.FindAllStringSubmatch(o.Text, -1)
	if len(numbers) != len(others) || !slices.Equal(openPart.Split(p.Text, -1), openPart.Split(o.Text, -1)) {
		return false
	}
	for i, n := range numbers {
		other := others[i]
		if (n[1] == "") != (other[1] == "") || len(other[1]) > len(n[1]) || len(other[2]) < len(n[2]) {
			return false
		}
	}
	return true
}

// problem says why the pattern must not be exported, "" if it may.
func (p Pattern) problem() string {
	after := p.Text[strings.LastIndexByte(p.Text, '>'):]
	_, after, _ = strings.Cut(after, ".")
	if _, registered := Registered(after); !registered {
		return "is a pattern of domains, and anyone can register one of them"
	}
	if len(p.Extended()) > longestExpression {
		return fmt.Sprintf("is a pattern whose expression is longer than %d bytes, which not every target reads", longestExpression)
	}
	return ""
}

// longestExpression leaves room for the ends in the shortest line buffer, which
// is tinyproxy's of 511 bytes.
const longestExpression = 480
