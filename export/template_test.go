package export

import (
	"strings"
	"testing"
	"time"

	"lxd-allowlist/export/rule"
)

func TestTemplate(t *testing.T) {
	c, refused := rule.Compile(rule.List{
		Rules: []rule.Rule{
			{Name: "www.example.com", Reason: "it's\nneeded \"so\"", Seen: &rule.Seen{Queries: 3, Types: []string{"A\x1b", "AAAA"}, Ports: []rule.Port{port("443/udp")}, Watched: true}},
			{Name: "example.net", Suffix: true},
		},
		Aliases: []string{"cdn.example"},
		Header:  rule.Header{Program: "lxd-allowlist 1.0", Session: "s\n1", When: time.Unix(0, 0).UTC()},
	})
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	for text, want := range map[string]string{
		`{{range .Rules}}{{.}} {{.Kind}};{{end}}`:                             "www.example.com exact;.example.net suffix;",
		`{{range .Rules}}{{.Reason | json}}{{end}}`:                           `"it's needed \"so\""""`,
		`{{range .Rules}}{{.Reason | yaml}}{{end}}`:                           `"it's needed \"so\""""`,
		`{{range .Rules}}{{.Reason | shell}}{{end}}`:                          `'it'\''s needed "so"'''`,
		`{{range .Rules}}{{.Reason | go}}{{end}}`:                             `"it's needed \"so\""""`,
		`{{range .Rules}}{{. | regexp}} {{end}}`:                              `www\.example\.com \.example\.net `,
		`{{range .Rules}}{{with .Seen}}{{.Queries}} {{.Types}}{{end}}{{end}}`: "3 [A AAAA]",
		`{{.Summary}} {{.Ports}} {{.Aliases}}`:                                "2 rules: 1 exact, 1 suffix [443 80] [cdn.example]",
		`{{.Ports}} {{.UDPPorts}} {{len .Rules}}`:                             "[443 80] [443] 2",
		`{{with .Origin}}{{.Program}} {{.Session}} {{.When.Year}}{{end}}`:     "lxd-allowlist 1.0 s 1 1970",
	} {
		f, err := Template("site.conf.tmpl", text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		data, err := Render(f, c, Options{})
		if err != nil || string(data) != want {
			t.Errorf("%s wrote %q, %v, want %q", text, data, err, want)
		}
		if _, err := f.Decode(data); err == nil || f.ReadsBack() {
			t.Errorf("%s: it reads back", text)
		}
	}
	if c.Rules()[0].Reason == "it's needed \"so\"" {
		t.Error("the list itself was cleaned")
	}
}

func TestTemplateWrong(t *testing.T) {
	for text, word := range map[string]string{
		"{{":                         "x.tmpl:1",
		"{{.Nothing}}":               "Nothing",
		"{{range .Rules}}{{.Nme}}":   "unexpected EOF",
		"{{range .Rules}}\n{{.Nme}}": "x.tmpl:2",
		"{{range .Rules}}{{.Seen.Queries}}{{end}}":                    "nil pointer",
		"{{range .Rules}}{{\"a\nb\" | nothing}}{{end}}":               "x.tmpl:1",
		"{{range .Rules}}{{.Name | nothing}}{{end}}":                  `"nothing" not defined`,
		"{{index `a\nb` 99}}":                                         "out of range",
		"{{template \"a\nb\"}}":                                       "x.tmpl:1",
		"{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}": "depth",
	} {
		_, err := Template("/some/dir/x.tmpl", text)
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", text, err, word)
		}
	}
}

func TestTemplateExtension(t *testing.T) {
	for path, want := range map[string]string{"site.conf.tmpl": "conf", "a.b/site.tmpl": "txt", "site": "txt", "site.yaml": "txt", "/a/x.tf.json.tmpl": "json"} {
		if f, err := Template(path, ""); err != nil || f.Extension != want {
			t.Errorf("%s makes %q, %v, want %q", path, f.Extension, err, want)
		}
	}
}

// What a template's author didn't think of reaches no file: neither addresses nor
// patterns.
func TestTemplateOfNamesAlone(t *testing.T) {
	f, err := Template("a.tmpl", "{{range .Rules}}{{.}}\n{{end}}")
	if err != nil {
		t.Fatal(err)
	}
	file, err := Make(rule.List{Rules: []rule.Rule{{Name: "www.example.com"}, {Name: "192.0.2.7:443/tcp"}, {Name: "sa<0-9>.example.com"}}}, f, Options{})
	if err != nil || string(file.Data) != "www.example.com\n" || len(file.Refused) != 2 {
		t.Errorf("%q, %v, refused %v", file.Data, err, file.Refused)
	}
}
