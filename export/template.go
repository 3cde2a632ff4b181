package export

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"lxd-allowlist/export/rule"
)

// TemplatePrefix begins the names of formats that [Template] makes. The
// template's file follows.
const TemplatePrefix = "template="

// Page is what a template is run with. Its texts are single lines of
// printable characters, its names are those that [Compile] passed.
type Page struct {
	Rules   []rule.Rule // .Name .Suffix .Kind .Reason .Source .Warning; .Seen is nil where nothing was observed
	Aliases []string    // names seen only as the target of a CNAME
	Ports   []int       // of TCP
	Origin  rule.Header // .Program .Session .Instance .Network .Host .When
	Summary string      // "3 rules: 2 exact, 1 suffix"
	Doubts  []string    // why names may be missing, in sentences
	LeftOut string      // how many names are left out and why, "" for none
	// UDPPorts are those that were seen, none where Ports were asked for.
	UDPPorts []int
	// Verified says what came of the list when it was enforced; "" if it never
	// was.
	Verified string
}

// quoting is what templates quote with. A rule or a number is taken as the
// text that it prints as.
var quoting = template.FuncMap{
	"json":   quotedValue,
	"yaml":   quotedValue, // every JSON string is one of YAML, too
	"shell":  func(v any) string { return "'" + strings.ReplaceAll(fmt.Sprint(v), "'", `'\''`) + "'" },
	"regexp": func(v any) string { return regexp.QuoteMeta(fmt.Sprint(v)) },
	"go":     func(v any) string { return strconv.Quote(fmt.Sprint(v)) },
}

func quotedValue(v any) string { return quoted(fmt.Sprint(v)) }

// TemplateUsage says what a template can use, in lines.
const TemplateUsage = `{{range .Rules}}{{.Name}} {{end}}
a rule     .Name .Suffix .Kind .Reason .Source .Warning; itself it is h or .h
           {{with .Seen}}{{.Queries}}{{end}} .Outcome .Types .Instances .First .Last
the list   .Rules .Aliases .Ports .UDPPorts .Summary .Doubts .LeftOut .Verified
its origin .Origin.Program .Origin.Session .Origin.Instance .Origin.Network .Origin.Host .Origin.When
quoting    {{.Name | json}}, and yaml, shell, regexp, go
`

// TemplateHelp describes the formats that [Template] makes.
var TemplateHelp = Format{
	evidence:  true,
	Name:      TemplatePrefix + "FILE",
	Title:     "a format of your own: FILE is a Go text/template",
	Extension: "FILE's",
	Exact:     "as FILE says where .Suffix is false",
	Suffix:    "as FILE says where .Suffix is true; {{.}} is .h then",
	NoAddress: "a template is about names",
	NoPattern: "a template is about names",
	Load:      "as FILE's target has it; site.conf.tmpl makes a .conf",
	Proven:    "by no software: nobody knows how to read it back, so that it is neither held against the rules nor merged nor compared",
	Ports:     true,
}

// Template returns a format that runs text, a [text/template], on a [Page].
// What it writes can't be read back: see [Format.ReadsBack]. A field that
// doesn't exist is found here, not when there are rules.
func Template(path, text string) (Format, error) {
	f := TemplateHelp
	base := strings.TrimSuffix(filepath.Base(path), ".tmpl")
	f.Name = TemplatePrefix + filepath.Base(path)
	if f.Extension = strings.TrimPrefix(filepath.Ext(base), "."); f.Extension == "" || base == filepath.Base(path) {
		f.Extension = "txt"
	}
	// Named without its directory: the errors begin with it.
	t, err := template.New(filepath.Base(path)).Funcs(quoting).Parse(text)
	if err == nil {
		sample, _ := rule.Compile(rule.List{Rules: []rule.Rule{{Name: "www.example.com", Seen: &rule.Seen{}}, {Name: "example.net", Suffix: true}}})
		err = t.Execute(io.Discard, pageOf(sample, Options{}))
	}
	if err != nil {
		return Format{}, oneLineError{err}
	}
	f.encode = func(_ Format, c rule.Compiled, o Options) ([]byte, error) {
		var b bytes.Buffer
		if err := t.Execute(&b, pageOf(c, o)); err != nil {
			return nil, oneLineError{err}
		}
		return b.Bytes(), nil
	}
	return f, nil
}

// oneLineError keeps to one line what quotes a template that has several.
type oneLineError struct{ error }

func (e oneLineError) Error() string { return OneLine(e.error.Error()) }
func (e oneLineError) Unwrap() error { return e.error }

// pageOf copies what it cleans.
func pageOf(c rule.Compiled, o Options) Page {
	h := c.Header()
	for _, s := range []*string{&h.Program, &h.Session, &h.Instance, &h.Network, &h.Host} {
		*s = OneLine(*s)
	}
	rules := slices.Clone(c.Rules())
	for i := range rules {
		r := &rules[i]
		r.Reason, r.Source = OneLine(r.Reason), OneLine(r.Source)
		if r.Seen != nil {
			s := *r.Seen
			s.Outcome, s.Instances, s.Types = OneLine(s.Outcome), oneLines(s.Instances), oneLines(s.Types)
			r.Seen = &s
		}
	}
	udp := slices.DeleteFunc(o.portsWithUDP(c.Rules()...), func(p rule.Port) bool { return p.Protocol != "udp" })
	return Page{Rules: rules, Aliases: c.Aliases(), Ports: o.ports(c.Rules()...), UDPPorts: numbers(udp), Origin: h, Summary: summary(rules), Doubts: oneLines(c.Doubts()), LeftOut: OneLine(c.LeftOut()), Verified: OneLine(verified(c))}
}
