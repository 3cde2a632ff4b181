package verify

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"lxd-allowlist/capture/shell"
	"lxd-allowlist/export/rule"
)

// Markdown writes the report for people.
func (r *Report) Markdown() []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# %s on %s: %s\n", r.Instance, r.Network, r.Headline())
	for _, why := range r.Why {
		line("- %s", text(why))
	}
	if len(r.Why) > 0 {
		line("")
	}
	line("| | |\n|---|---|")
	row := func(name, format string, args ...any) { line("| %s | %s |", name, fmt.Sprintf(format, args...)) }
	if len(r.Command) > 0 {
		code := "not known"
		if r.ExitCode != nil {
			code = fmt.Sprint(*r.ExitCode)
		}
		row("command", "%s, exit code %s", codeOf(shell.Line(r.Command)), code)
	}
	row("list", "%s, %s, digest %s", text(r.List.Name), plural(r.List.Rules, "rule", "rules"), r.List.Digest)
	if r.List.Begun != "" {
		row("list at the start", "digest %s", r.List.Begun)
	}
	enforced, level := "enforced", r.Level
	if r.Learning() {
		enforced, level = "learnt", "nothing was refused"
	}
	row(enforced, "%s, from %s for %s", level, r.Started.Format(time.RFC3339), r.Ended.Sub(r.Started).Round(time.Second/10))
	if r.Level == rule.Bridgewide {
		row("queries", "%d that the list has no rule for; those for allowed names are not seen", r.Queries)
	} else if r.Queries == 0 {
		row("queries", "none: nobody used the application meanwhile")
	} else {
		row("queries", "%d", r.Queries)
	}
	for _, p := range r.Proofs {
		words := "was refused"
		if !p.Proven {
			words = "**not proven**: " + text(p.Why)
		}
		row("proof "+p.At.Format(time.TimeOnly), "%s %s", text(p.Tried), words)
	}
	row("versions", "%s", text(strings.Join(r.versions(), ", ")))
	r.blockedTable(line)
	r.packetTable(line)
	r.serverTable(line)
	r.rulesTable(line)
	if len(r.Notes) > 0 {
		line("\n## Notes\n")
		for _, n := range r.Notes {
			line("- %s", text(n))
		}
	}
	return []byte(b.String())
}

type printer func(format string, args ...any)

func (r *Report) blockedTable(line printer) {
	if len(r.Blocked) == 0 {
		return
	}
	heading := "Blocked"
	if r.Learning() {
		heading = "Would be blocked"
	}
	line("\n## %s\n\n| name | times | types | first | last | |\n|---|---|---|---|---|---|", heading)
	for _, n := range r.Blocked {
		var words []string
		if n.Expected {
			words = append(words, "expected")
		}
		switch {
		case n.Temporary:
			words = append(words, "let through for a time, at "+n.Late.Format(time.TimeOnly))
		case n.Late != nil:
			words = append(words, "allowed late, at "+n.Late.Format(time.TimeOnly))
		}
		if n.Reason != "" {
			words = append(words, text(n.Reason))
		}
		if len(n.By) > 0 {
			words = append(words, text("by "+strings.Join(n.By, ", ")))
		}
		line("| %s | %d | %s | %s | %s | %s |", codeOf(n.Name), n.Times, text(strings.Join(n.Types, " ")), n.First.Format(time.TimeOnly), n.Last.Format(time.TimeOnly), strings.Join(words, "; "))
	}
}

func (r *Report) packetTable(line printer) {
	if len(r.Packets) == 0 {
		return
	}
	line("\n## Packets that were refused\n\n| to | times | first | last | |\n|---|---|---|---|---|")
	for _, p := range r.Packets {
		var words []string
		switch {
		case len(p.Names) > 0:
			words = append(words, text(fmt.Sprintf("expected: an address of %s alone; %s", shorten(p.Names, 3), p.Reason)))
		case p.Expected:
			words = append(words, "expected: for nobody outside of the bridge")
		}
		if len(p.Servers) > 0 {
			words = append(words, text("for "+strings.Join(p.Servers, ", ")))
		}
		if len(p.By) > 0 {
			words = append(words, text("by "+strings.Join(p.By, ", ")))
		}
		line("| %s | %d | %s | %s | %s |", codeOf(p.To), p.Times, p.First.Format(time.TimeOnly), p.Last.Format(time.TimeOnly), strings.Join(words, "; "))
	}
}

func (r *Report) serverTable(line printer) {
	if len(r.Servers) == 0 {
		return
	}
	line("\n## Servers outside of the list, at addresses of names in it\n\n| server | at | times | first | last |\n|---|---|---|---|---|")
	for _, s := range r.Servers {
		line("| %s | %s | %d | %s | %s |", codeOf(s.Name), s.At, s.Times, s.First.Format(time.TimeOnly), s.Last.Format(time.TimeOnly))
	}
}

func (r *Report) rulesTable(line printer) {
	if len(r.Rules) == 0 {
		return
	}
	line("\n## Rules\n\n| rule | state | queries |\n|---|---|---|")
	for _, s := range r.Rules {
		asked := strconv.Itoa(s.Queries)
		if s.State == notKnown {
			asked = ""
		}
		if s.Connections > 0 {
			asked = plural(s.Connections, "connection", "connections")
		}
		line("| %s | %s | %s |", codeOf(s.Rule), s.State, asked)
	}
}

// text makes words fit for a cell of a table: names and commands come from
// whoever runs in the instance.
func text(s string) string {
	return strings.NewReplacer("|", `\|`, "`", "'", "<", "&lt;", "*", `\*`, "[", `\[`).Replace(printable(s))
}

// codeOf is text as code.
func codeOf(s string) string {
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(printable(s)) + "`"
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, s)
}
