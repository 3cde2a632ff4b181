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
	for _, w := range warned(c.Rules(), func(_ rule.Rule, warning string) string { return warning }) {
		p.line("- **Warning:** %s", prose(w))
	}
	p.line("")
	p.put(markdownColumns)
	p.line("|%s", strings.Repeat(" --- |", strings.Count(markdownColumns, "|")-1))
	unseen := make([]string, len(csvColumns)-4)
	for _, r := range c.Rules() {
		p.words("| `", r.Name, "` | ", r.Kind(), " | ", prose(r.Reason), " | ", prose(r.Source))
		seen := unseen
		if r.Seen != nil {
			seen = seenCells(r.Seen)
		}
		for _, cell := range seen {
			p.words(" | ", prose(cell))
		}
		p.put(" |")
	}
	return p.Bytes(), nil
}

// prose makes Markdown show the text as it is: one line, no markup, no cell
// of its own, no HTML.
func prose(text string) string {
	text = OneLine(text)
	if !strings.ContainsAny(text, proseMarks) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(proseMarks, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// proseMarks mean something to Markdown.
const proseMarks = "\\`*_{}[]<>()#+!|&~$"

// unprose reads what prose wrote.
func unprose(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
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
	lines := strings.Split(textOf(data), "\n")
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
	cells := make([]string, strings.Count(columns, "|")-1)
	for _, line := range lines[min(table+2, len(lines)):] {
		if line == "" {
			continue
		}
		rest, more := strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), true
		for i := range cells {
			if !more {
				return nil, fmt.Errorf("a row with other cells: %q", line)
			}
			cells[i], rest, more = strings.Cut(rest, " | ")
			cells[i] = unprose(cells[i])
		}
		if more {
			return nil, fmt.Errorf("a row with other cells: %q", line)
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
