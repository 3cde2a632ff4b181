package output

import (
	"slices"
	"strings"

	"lxd-allowlist/export"
)

// FormatTable returns the rows of a table of all formats, each in short, the
// headings first.
func FormatTable() [][]string {
	rows := [][]string{{"FORMAT", "EXTENSION", "FOR", "PROVEN"}}
	for _, f := range append(export.Formats(), export.TemplateHelp) {
		rows = append(rows, []string{f.Name, f.Extension, short(f.Title), short(f.Proven)})
	}
	return rows
}

// short cuts a text where its details begin.
func short(text string) string {
	if i := strings.IndexAny(text, ":;,("); i >= 0 {
		text = text[:i]
	}
	return strings.TrimSpace(text)
}

// fact is one thing to know of a format.
type fact struct{ word, text string }

// facts are what there is to know of a format, less what it has nothing for.
func facts(f export.Format) []fact {
	ports := ""
	if f.Ports && f.NoUDP == "" {
		ports = "those of --ports, which are TCP's, else those that were seen, of UDP, too"
	} else if f.Ports {
		ports = "those of --ports, else those of TCP that were seen; none of UDP: " + f.NoUDP
	}
	or := func(what, why string) string {
		if what == "" && why != "" {
			return "none: " + why
		}
		return what
	}
	return slices.DeleteFunc([]fact{
		{"extension", f.Extension}, {"exact", f.Exact}, {"suffix", f.Suffix}, {"address", or(f.Address, f.NoAddress)}, {"pattern", or(f.Pattern, f.NoPattern)}, {"widens", f.Widens}, {"ports", ports},
		{"at most", f.Limits()}, {"load", f.Load}, {"check", f.Check}, {"proven", f.Proven},
	}, func(f fact) bool { return f.text == "" })
}

// Description returns rows of a word and what there is to know of a format,
// with steps a line each.
func Description(f export.Format) (rows [][]string) {
	for _, one := range facts(f) {
		if one.word == "load" {
			one.text = strings.Join(steps(one.text), "\n")
		}
		rows = append(rows, []string{one.word, one.text})
	}
	return rows
}

// steps parts a text at its semicolons, less those within quotes and brackets.
func steps(text string) (all []string) {
	begin, depth, quoted := 0, 0, false
	for i, r := range text {
		switch {
		case r == '"':
			quoted = !quoted
		case quoted:
		case strings.ContainsRune("({[", r):
			depth++
		case strings.ContainsRune(")}]", r):
			depth--
		case depth == 0 && strings.HasPrefix(text[i:], "; "):
			all = append(all, text[begin:i])
			begin = i + len("; ")
		}
	}
	return append(all, text[begin:])
}

// Describable returns the format of that name, one to be written with or
// what stands for all templates.
func Describable(name string) (export.Format, error) {
	if strings.EqualFold(name+"=", export.TemplatePrefix) || strings.HasPrefix(name, export.TemplatePrefix) {
		return export.TemplateHelp, nil
	}
	return export.Lookup(strings.ToLower(name))
}
