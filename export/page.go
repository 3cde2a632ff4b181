package export

import (
	"bytes"
	"fmt"
	"slices"

	"lxd-allowlist/export/rule"
)

// page is a text file with comments in the making.
type page struct {
	bytes.Buffer
	mark string // what a comment begins with
	// warned are the names of rules that open more than was probably meant, nil
	// where that is not known.
	warned map[string]bool
}

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(p, format, args...)
	p.WriteByte('\n')
}

// put is line for words as they are: a file has hundreds of thousands of such lines.
func (p *page) put(words ...string) {
	p.words(words...)
	p.WriteByte('\n')
}

func (p *page) words(words ...string) {
	for _, w := range words {
		p.WriteString(w)
	}
}

// dotted writes a rule as a plain list does.
func (p *page) dotted(r rule.Rule) {
	if r.Suffix {
		p.WriteByte('.')
	}
	p.put(r.Name)
}

func (p *page) comment(text string) { p.put(p.mark, " ", text) }

// lineBytes is what a rule takes in most files.
const lineBytes = 48

// headed returns the page with the comments on top, and with room for as much as
// stands where it is to go, and a sixteenth: mostly a rule or two are new.
func headed(f Format, c rule.Compiled, o Options) page {
	p := page{mark: f.mark}
	p.Grow(max(c.Len()*lineBytes, len(o.before)+len(o.before)/16))
	p.head(f, c)
	return p
}

// head writes the comments on top: what this is, where it comes from, what
// the rules mean here and how to use it. It asks for all warnings at once, which
// notes then takes.
func (p *page) head(f Format, c rule.Compiled) {
	p.warned = make(map[string]bool)
	for _, name := range warned(c.Rules(), func(r rule.Rule, _ string) string { return r.Name }) {
		p.warned[name] = true
	}
	for _, s := range slices.Concat(about(f, c), f.usage) {
		p.comment(s)
	}
}

// notes writes what is known of a rule as comments, each on its own line.
func (p *page) notes(r rule.Rule) {
	warning := ""
	if p.warned == nil || p.warned[r.Name] {
		warning = r.Warning()
	}
	for _, s := range notes(r, warning) {
		p.comment(s)
	}
}

// remarks writes the notes of all rules in one place.
func (p *page) remarks(rules []rule.Rule) {
	for _, s := range remarks(rules) {
		p.comment(s)
	}
}
