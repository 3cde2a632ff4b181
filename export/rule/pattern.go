package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"lxd-allowlist/export/rule/known"
	"lxd-allowlist/export/rule/psl"
)

// Pattern allows names that differ in one label, by a number or a region.
type Pattern struct {
	// Text is the pattern for people: "results<0-99>.blob.example.net".
	Text string
	// Regexp matches the names, from the first to the last letter.
	Regexp string
	// Names are those that it was proposed for, in their order.
	Names []string
	// Warning says what else it opens, "" for nothing known.
	Warning string
}

const (
	// patternExamples is how many names a pattern takes: two have a number each
	// by chance.
	patternExamples = 3
	// seriesDigits is how many digits a number of a series has at most; what has
	// more is an id, which tells nothing of the next one.
	seriesDigits = 4
)

var (
	digits = regexp.MustCompile(`[0-9]+`)
	// region is how Amazon and Google name their regions and zones: eu-west-1,
	// us-gov-east-1, europe-west4, asia-northeast1-b.
	region = regexp.MustCompile(`^` + regionText + `$`)
)

const regionText = `(?:af|ap|ca|cn|eu|il|me|mx|sa|us|africa|asia|australia|europe|northamerica|southamerica)(?:-gov|-iso[a-z]?)?-(?:north|south|east|west|central|northeast|northwest|southeast|southwest)-?[0-9]{1,2}(?:-?[a-f])?`

// Patterns proposes patterns for a name and its siblings: names that differ from
// it in one label. Where the labels of a place are no series, no says why.
func Patterns(name string, siblings []string) (all []Pattern, no string) {
	labels := strings.Split(name, ".")
	whose, _ := Registered(name) // with any label of it open, anyone can register one
	for at := range len(labels) - strings.Count(whose, ".") - 1 {
		var like []string
		for _, other := range siblings {
			if differsAt(labels, strings.Split(other, "."), at) {
				like = append(like, other)
			}
		}
		like = append(like, name)
		slices.Sort(like)
		if like = slices.Compact(like); len(like) < patternExamples {
			continue
		}
		p, why := series(labels, at, like)
		if why == "" {
			all = append(all, p)
		} else {
			no = why
		}
	}
	return all, no
}

// Registered returns the part of the name that somebody registered with a
// registry, which others may let out below it: windows.net, whoever has a.blob.
// ok is false for a name that has none, which is returned whole.
func Registered(name string) (domain string, ok bool) {
	suffix, registry := psl.PublicSuffix(name)
	for !registry && strings.Contains(suffix, ".") { // a private one stands below another
		suffix, registry = psl.PublicSuffix(Parent(suffix))
	}
	if len(name) <= len(suffix)+1 {
		return name, false
	}
	dot := strings.LastIndexByte(name[:len(name)-len(suffix)-1], '.')
	return name[dot+1:], true
}

func differsAt(a, b []string, at int) bool {
	return len(a) == len(b) && a[at] != b[at] && slices.Equal(a[:at], b[:at]) && slices.Equal(a[at+1:], b[at+1:])
}

// series returns the pattern of names that differ in the label at a place, or
// why there is none.
func series(labels []string, at int, names []string) (p Pattern, no string) {
	label := labels[at]
	of := func(name string) string { return strings.Split(name, ".")[at] }
	numbered := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return shape(of(name)) != shape(label) })
	regions := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !region.MatchString(of(name)) })
	text, expr := "", ""
	switch {
	case region.MatchString(label) && len(regions) >= patternExamples:
		names, text, expr = regions, "<region>", regionText
	case len(numbered) < patternExamples || !digits.MatchString(label):
		return p, fmt.Sprintf("%d names differ in the label %q, by no number and no region: what it will be next can't be told, and a pattern would allow anything", len(names), label)
	default:
		least, most := len(digits.FindString(label)), 0
		for _, name := range numbered {
			for _, d := range digits.FindAllString(of(name), -1) {
				least, most = min(least, len(d)), max(most, len(d))
			}
		}
		if most > seriesDigits {
			return p, fmt.Sprintf("%d names differ in the label %q, by numbers of %d digits: that is an id and no series, and a pattern would allow anybody's", len(numbered), label, most)
		}
		names = numbered
		text = digits.ReplaceAllString(label, "<"+strings.Repeat("0", least)+"-"+strings.Repeat("9", most)+">")
		expr = digits.ReplaceAllString(regexp.QuoteMeta(label), fmt.Sprintf("[0-9]{%d,%d}", least, most))
	}
	before, after := "", strings.Join(labels[at+1:], ".")
	if at > 0 {
		before = strings.Join(labels[:at], ".") + "."
	}
	p = Pattern{
		Text:   before + text + "." + after,
		Regexp: "^" + regexp.QuoteMeta(before) + expr + regexp.QuoteMeta("."+after) + "$",
		Names:  names,
	}
	if at == 0 { // whoever can have a name there can have one of the series
		p.Warning = known.PatternWarning(after)
	}
	return p, ""
}

// shape is a label with its numbers taken out.
func shape(label string) string { return digits.ReplaceAllString(label, "#") }
