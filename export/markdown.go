package export

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

var markdown = Format{
	Name:      "markdown",
	Title:     "a report for people",
	Extension: "md",
	Exact:     "the name alone",
	Suffix:    "the name and everything below it",
	Load:      "for a review, a ticket or a wiki",
	Proven:    "read back line by line",
	encode:    encodeMarkdown,
	decode:    decodeMarkdown,
}

var markdownColumns = "| Name | Kind | Why | Source | Queries | Types | Result | Asked by | First | Last |"

func encodeMarkdown(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	var p page
	p.line("# Allow-list")
	p.line("")
	p.line("%s. An exact rule allows the name alone, a suffix also everything below it.", summary(c.Rules()))
	p.line("")
	for _, s := range slices.Concat(origin(c.Header()), doubts(c)) {
		p.line("- %s", prose(s))
	}
	for _, r := range c.Rules() {
		if w := r.Warning(); w != "" {
			p.line("- **Warning:** %s", prose(w))
		}
	}
	p.line("")
	p.line("%s", markdownColumns)
	p.line("|%s", strings.Repeat(" --- |", strings.Count(markdownColumns, "|")-1))
	for _, r := range c.Rules() {
		var s rule.Seen
		queries := ""
		if r.Seen != nil {
			s, queries = *r.Seen, strconv.FormatUint(r.Seen.Queries, 10)
		}
		cells := []string{r.Reason, r.Source, queries, strings.Join(s.Types, " "), s.Outcome, strings.Join(s.Instances, " "), stamp(s.First), stamp(s.Last)}
		for i := range cells {
			cells[i] = prose(cells[i])
		}
		p.line("| `%s` | %s | %s |", r.Name, r.Kind(), strings.Join(cells, " | "))
	}
	return p.Bytes(), nil
}

// prose makes Markdown show the text as it is: one line, no markup, no cell
// of its own, no HTML.
func prose(text string) string {
	var b strings.Builder
	for _, r := range oneLine(text) {
		if strings.ContainsRune("\\`*_{}[]<>()#+!|&~$", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func decodeMarkdown(data []byte) ([]rule.Rule, error) {
	lines := strings.Split(string(data), "\n")
	table := slices.Index(lines, markdownColumns)
	if table < 0 {
		return nil, errors.New("the table is not there")
	}
	var rules []rule.Rule
	for _, line := range lines[min(table+2, len(lines)):] {
		if line == "" {
			continue
		}
		name, rest, named := strings.Cut(strings.TrimPrefix(line, "| `"), "` | ")
		kind, _, kinded := strings.Cut(rest, " | ")
		if !named || !kinded || kind != "exact" && kind != "suffix" {
			return nil, fmt.Errorf("a row that says something else: %q", line)
		}
		rules = append(rules, rule.Rule{Name: name, Suffix: kind == "suffix"})
	}
	return rules, nil
}
