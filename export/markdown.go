package export

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lxd-allowlist/export/rule"
)

var markdown = Format{
	evidence:  true,
	Name:      "markdown",
	Title:     "a report for people",
	Extension: "md",
	Exact:     "the name alone",
	Suffix:    "the name and everything below it",
	Address:   `kind address`,
	Pattern:   `kind pattern`,
	Load:      "for a review, a ticket or a wiki",
	Proven:    "read back line by line",
	encode:    encodeMarkdown,
	decode:    decodeMarkdown,
}

var markdownColumns = "| Name | Kind | Why | Source | Queries | Types | Result | Asked by | First | Last | Programs | Ports | Server names | Seen |"

// markdownBefore are those of earlier versions.
const markdownBefore = "| Name | Kind | Why | Source | Queries | Types | Result | Asked by | First | Last |"

func encodeMarkdown(_ Format, c rule.Compiled, _ Options) ([]byte, error) {
	var p page
	p.line("# Allow-list")
	p.line("")
	p.line("%s. An exact rule allows the name alone, a suffix also everything below it.", summary(c.Rules()))
	p.line("")
	for _, s := range slices.Concat(origin(c), doubts(c)) {
		p.line("- %s", prose(s))
	}
	for _, r := range c.Rules() {
		if w := r.Warning(); w != "" {
			p.line("- **Warning:** %s", prose(w))
		}
	}
	p.line("")
	p.put(markdownColumns)
	p.line("|%s", strings.Repeat(" --- |", strings.Count(markdownColumns, "|")-1))
	for _, r := range c.Rules() {
		seen := make([]string, len(csvColumns)-4)
		if r.Seen != nil {
			seen = seenCells(r.Seen)
		}
		cells := append([]string{r.Reason, r.Source}, seen...)
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
	for _, r := range OneLine(text) {
		if strings.ContainsRune("\\`*_{}[]<>()#+!|&~$", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unprose reads what prose wrote.
func unprose(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func decodeMarkdown(data []byte) ([]rule.Rule, error) {
	lines := strings.Split(string(data), "\n")
	columns := markdownColumns
	table := slices.Index(lines, columns)
	if table < 0 {
		columns = markdownBefore
		table = slices.Index(lines, columns)
	}
	if table < 0 {
		return nil, errors.New("the table is not there")
	}
	rules := make([]rule.Rule, 0, len(lines))
	for _, line := range lines[min(table+2, len(lines)):] {
		if line == "" {
			continue
		}
		cells := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | ")
		if len(cells) != strings.Count(columns, "|")-1 {
			return nil, fmt.Errorf("a row with other cells: %q", line)
		}
		for i := range cells {
			cells[i] = unprose(cells[i])
		}
		name, named := between(cells[0], "`", "`")
		if !named {
			return nil, fmt.Errorf("a row that says something else: %q", line)
		}
		r, err := ruleOf(name, cells[1])
		if err != nil {
			return nil, err
		}
		r.Reason, r.Source = cells[2], cells[3]
		if r.Seen, err = readSeen(cells[4:]); err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
		rules = append(rules, r)
	}
	return rules, nil
}
