package output

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"lxd-allowlist/export"
)

// ListFormats writes all formats as a table, each in short.
func ListFormats(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FORMAT\tEXTENSION\tFOR\tPROVEN")
	for _, f := range append(export.Formats(), export.TemplateHelp) {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", f.Name, f.Extension, short(f.Title), short(f.Proven))
	}
	return table.Flush()
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

// Describe writes all that there is to know of a format.
func Describe(w io.Writer, f export.Format) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s\t%s\n", f.Name, f.Title)
	for _, l := range facts(f) {
		fmt.Fprintf(table, "  %s\t%s\n", l.word, l.text)
	}
	err := table.Flush()
	if err == nil && !f.ReadsBack() {
		_, err = io.WriteString(w, "\n"+export.TemplateUsage)
	}
	return err
}

// Describable returns the format of that name, one to be written with or
// what stands for all templates.
func Describable(name string) (export.Format, error) {
	if name+"=" == export.TemplatePrefix || strings.HasPrefix(name, export.TemplatePrefix) {
		return export.TemplateHelp, nil
	}
	return export.Lookup(name)
}
