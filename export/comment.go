package export

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lxd-allowlist/capture/crash/lanes"
	"lxd-allowlist/export/rule"
)

// maxNote bounds a comment. The shortest line buffer of a target is
// tinyproxy's: beyond 511 bytes the rest of a comment would be a rule.
const maxNote = 200

// What the first and the last of the comments on top begin with, and comments
// on what a rule opens, and what a witness saw of it.
const (
	headBegin   = "Allow-list: "
	headEnd     = "proven: "
	warningWord = "warning: "
	seenWord    = "seen: "
)

// OneLine makes text fit for a cell or a message: one line of printable
// characters. What would move the cursor or turn the direction of writing
// becomes a space.
func OneLine(text string) string {
	if isPrintableASCII(text) { // as nearly always
		return strings.TrimSpace(text)
	}
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text))
}

func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// note makes text fit for a comment of any target: one bounded line. A
// backslash at its end would join the next line to it in some of them.
func note(text string) string {
	text = strings.ReplaceAll(OneLine(text), "\\", "/")
	if len(text) <= maxNote {
		return text
	}
	cut := maxNote
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}

// about returns the lines on top of a file.
func about(f Format, c rule.Compiled) []string {
	lines := []string{headBegin + f.Title, summary(c.Rules())}
	lines = append(lines, origin(c)...)
	lines = append(lines, doubts(c)...)
	if text := udpLeftOut(f, c.Rules()); text != "" {
		lines = append(lines, "left out: "+text)
	}
	for _, l := range []struct{ word, text string }{
		{"exact", f.Exact}, {"suffix", f.Suffix}, {"address", f.Address}, {"pattern", f.Pattern}, {"wider than asked", f.Widens}, {"load", f.Load}, {"check", f.Check},
	} {
		if l.text != "" {
			lines = append(lines, l.word+": "+l.text)
		}
	}
	return append(lines, headEnd+f.Proven)
}

// doubts returns what may be missing and what was left out, a line each.
func doubts(c rule.Compiled) []string {
	var lines []string
	for _, d := range c.Doubts() {
		lines = append(lines, "beware: "+note(d))
	}
	for _, name := range c.Overruled() {
		lines = append(lines, "beware: "+note(name)+" was dropped, and a wider rule allows it all the same")
	}
	if text := note(c.LeftOut()); text != "" {
		lines = append(lines, "left out: "+text)
	}
	return lines
}

// origin returns where the list comes from, a line each.
func origin(c rule.Compiled) []string {
	h, when := c.Header(), ""
	if !h.When.IsZero() {
		when = stamp(h.When)
	}
	var lines []string
	for _, l := range []struct{ word, text string }{
		{"made by", h.Program}, {"session", h.Session}, {"instance", h.Instance}, {"network", h.Network}, {"host", h.Host}, {"at", when},
		{"verified:", verified(c)},
	} {
		if text := note(l.text); text != "" {
			lines = append(lines, l.word+" "+text)
		}
	}
	for _, text := range proof(c) {
		lines = append(lines, note(text))
	}
	return lines
}

// summary counts the rules: "3 rules: 2 exact, 1 suffix"; addresses where there
// are any.
func summary(rules []rule.Rule) string {
	var exact, suffix, address, pattern int
	for _, r := range rules {
		switch r.Kind() {
		case "exact":
			exact++
		case "suffix":
			suffix++
		case "address":
			address++
		case "pattern":
			pattern++
		}
	}
	text := fmt.Sprintf("%s: %d exact, %d suffix", ruleCount(len(rules)), exact, suffix)
	if address > 0 {
		text += fmt.Sprintf(", %d address", address)
	}
	if pattern > 0 {
		text += fmt.Sprintf(", %d pattern", pattern)
	}
	return text
}

// ruleCount returns "1 rule", "3 rules".
func ruleCount(n int) string {
	if n == 1 {
		return "1 rule"
	}
	return fmt.Sprintf("%d rules", n)
}

// udpLeftOut says of how many rules the ports of UDP have no place in the file,
// and which have no others; "" for none.
func udpLeftOut(f Format, rules []rule.Rule) string {
	if f.NoUDP == "" {
		return ""
	}
	n := 0
	var alone []string
	for _, r := range rules {
		if len(seenPorts(r, "udp")) == 0 { // as of nearly all
			continue
		}
		if _, is := r.Endpoint(); is {
			continue
		}
		n++
		if len(seenPorts(r, "tcp")) == 0 {
			alone = append(alone, r.Dotted())
		}
	}
	if n == 0 {
		return ""
	}
	text := fmt.Sprintf("the ports of UDP of %s (%s)", ruleCount(n), f.NoUDP)
	if len(alone) > 0 {
		text += fmt.Sprintf("; no others were seen of %d, where TCP's usual ones or those of --ports stand: %s", len(alone), note(strings.Join(alone, " ")))
	}
	return text
}

// warned returns what is told of the rules that open more than was probably meant,
// in their order.
func warned[T any](rules []rule.Rule, tell func(r rule.Rule, warning string) T) []T {
	return lanes.Collect("the warnings", len(rules), func(i int) (told T, is bool) {
		warning := rules[i].Warning()
		if warning == "" {
			return told, false
		}
		return tell(rules[i], warning), true
	})
}

// notes returns the comments of a rule with its warning, "" for none.
func notes(r rule.Rule, warning string) []string {
	var lines []string
	if r.Reason != "" { // hardly any has one
		if reason := note(r.Reason); reason != "" {
			lines = append(lines, reason)
		}
	}
	if warning != "" {
		lines = append(lines, warningWord+warning)
	}
	if r.Seen != nil && r.Seen.Unused {
		lines = append(lines, seenWord+onlyResolved)
	} else if r.Seen != nil && len(r.Seen.Ports) > 0 {
		lines = append(lines, note(seenWord+words(r.Seen.Ports)))
	}
	return lines
}

// onlyResolved is said of a name that was asked for and never connected to.
const onlyResolved = "only resolved, nothing connected to it"

// isOurs reports whether a comment on a rule is none that a person wrote.
func isOurs(text string) bool {
	return strings.HasPrefix(text, warningWord) || strings.HasPrefix(text, seenWord)
}

// words writes ports: "443/tcp 443/udp".
func words(ports []rule.Port) string {
	all := make([]string, len(ports))
	for i, p := range ports {
		all[i] = p.String()
	}
	return strings.Join(all, " ")
}

// config returns the lines of a configuration as comments on top hold them:
// further in than any other comment, so that sed finds them.
func config(text string) []string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

// stamp writes a time, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// unstamp reads what stamp wrote, and anything else as no time.
func unstamp(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// remarks returns the notes of all rules, for files that have no place for a
// comment beside a rule.
func remarks(rules []rule.Rule) []string {
	return slices.Concat(lanes.Collect("the remarks", len(rules), func(i int) ([]string, bool) {
		lines := notes(rules[i], rules[i].Warning())
		for n := range lines {
			lines[n] = rules[i].Dotted() + ": " + lines[n]
		}
		return lines, len(lines) > 0
	})...)
}
