package known

import (
	"cmp"
	"strings"
	"testing"
	"testing/fstest"
)

// The table is read as strictly as can be; a name that is looked up is found
// with the fact that was written.
func TestTable(t *testing.T) {
	table, err := readTable(data)
	if err != nil {
		t.Fatal(err)
	}
	urls, err := readSources(data)
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	seen := make(map[Kind]int)
	for _, f := range table.all {
		seen[f.Kind]++
		used[f.Source] = true
		name := strings.ReplaceAll(f.Name, "*", "no-such-label")
		if f.Suffix {
			name = "no.such.label." + f.Name
		}
		got := Of(name)
		if len(got) == 0 || got[0] != f {
			t.Errorf("%s: %s has %v", f.Dotted(), name, got)
			continue
		}
		// On shared hosting each name matters by itself: as a suffix rule.
		if len(got) > 1 && f.Kind != Hosting && f.Kind == got[1].Kind && f.Owner == got[1].Owner && f.For == got[1].For {
			t.Errorf("%s says nothing that %s doesn't", f.Dotted(), got[1].Dotted())
		}
		if f.For == "" || f.Owner == "" || strings.ContainsFunc(f.For+f.Owner, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%s: %q of %q", f.Dotted(), f.For, f.Owner)
		}
	}
	files := map[string]bool{"sources.txt": true}
	for k := range Kind(kinds) {
		files[kindWords[k].word+".txt"] = true
		if seen[k] == 0 || k.String() == "" {
			t.Errorf("kind %d %q has %d facts", k, k, seen[k])
		}
	}
	for word, url := range urls {
		if !used[url] {
			t.Errorf("no fact has the source %s", word)
		}
	}
	entries, err := data.ReadDir("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !files[e.Name()] {
			t.Errorf("%s is of no kind", e.Name())
		}
	}
}

func TestTableIsStrict(t *testing.T) {
	read := func(resolvers, sources string) error {
		files := fstest.MapFS{"data/sources.txt": {Data: []byte(sources)}}
		for _, w := range kindWords {
			files["data/"+w.word+".txt"] = &fstest.MapFile{}
		}
		files["data/resolver.txt"].Data = []byte(resolvers)
		files["data/tunnel.txt"].Data = []byte("t.example  A  for that  itself\n")
		_, err := readTable(files)
		return err
	}
	const sources = "a  https://a.example/\nb  https://b.example/\n"
	const good = "a.example  A  for this  a\n.a.example  A  for that  itself\n"
	if err := read(good, sources); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ facts, sources, word string }{
		{"a.example  A  a\n", sources, "data/resolver.txt:1: has 3 columns"},
		{good + "\n", sources, "data/resolver.txt:3: has 0 columns"},
		{good + "B.example  A  for  a\n", sources, "data/resolver.txt:3: \"B.example\" is not a clean name"},
		{"a..example  A  for  a\n", sources, "clean"},
		{"..example  A  for  a\n", sources, "clean"},
		{"*  A  for  a\n", sources, "clean"},
		{"a*.example  A  for  a\n", sources, "clean"},
		{".a.*.example  A  for  a\n", sources, "clean"},
		{"a.*.*.example  A  for  a\n", sources, "clean"},
		{"192.0.2.7  A  for  a\n", sources, "clean"},
		{"a.example  A  for  c\n", sources, "no source"},
		{"a.example  A  for  a\na.example  A  for  a\n", sources, "duplicate"},
		{"b.example  A  for  a\na.example  A  for  a\n", sources, "order"},
		{"t.example  A  for  a\n", sources, "data/tunnel.txt:1: t.example is a DNS resolver already"},
		{good, "a  http://a.example/\n", "data/sources.txt:1: want a word and an https URL"},
		{good, "a\n", "data/sources.txt:1"},
		{good, "b  https://b.example/\na  https://a.example/\n", "order"},
		{good, "itself  https://b.example/\n", "duplicate"},
	} {
		if err := read(c.facts, c.sources); err == nil || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%q, %q: %v, want %q", c.facts, c.sources, err, c.word)
		}
	}
	if _, err := readTable(fstest.MapFS{}); err == nil {
		t.Error("a table without files is read")
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"dns.google", "dns.google"},
		{"x.dns.google", ""},
		{"mybucket.s3.amazonaws.com", ".s3.amazonaws.com .amazonaws.com"},
		{"s3.amazonaws.com", "s3.amazonaws.com .s3.amazonaws.com .amazonaws.com"},
		{"login.windows.net", "login.windows.net .windows.net"},
		{"me.blob.core.windows.net", ".blob.core.windows.net .core.windows.net .windows.net"},
		{"notgithub.io", ""},
		{"s3.me-central-1.amazonaws.com", "s3.*.amazonaws.com .amazonaws.com"},
		{"s3.dualstack.eu-west-1.amazonaws.com", "s3.dualstack.*.amazonaws.com .amazonaws.com"},
		{"b.s3.me-central-1.amazonaws.com", ".amazonaws.com"},
		{"s3.a.b.amazonaws.com", ".amazonaws.com"},
		{"fra1.digitaloceanspaces.com", "*.digitaloceanspaces.com .digitaloceanspaces.com"},
		{"b.fra1.digitaloceanspaces.com", ".digitaloceanspaces.com"},
		{"digitaloceanspaces.com", ".digitaloceanspaces.com"},
		{"a.b.c.github.io", ".github.io"},
		{"github.io", ".github.io"},
		{"example.org.evil.example.co", ""},
		{"", ""},
		{".", ""},
		{"..", ""},
		{"com", ""},
	} {
		var got []string
		for _, f := range Of(c.name) {
			got = append(got, f.Dotted())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("Of(%q) = %s, want %s", c.name, got, c.want)
		}
	}
}

func TestOpens(t *testing.T) {
	for _, c := range []struct {
		name string
		want string // the kind, "" if an exact rule opens nothing
	}{
		{"dns.google", "resolver"},
		{"mozilla.cloudflare-dns.com", "resolver"},
		{"abc.dns.nextdns.io", "resolver"},
		{"one-two-three.trycloudflare.com", "tunnel"},
		{"x.eu.ngrok.io", "tunnel"},
		{"derp1.tailscale.com", "tunnel"},
		{"abc-8080.euw.devtunnels.ms", "tunnel"},
		{"example-com.translate.goog", "proxy"},
		{"s3.eu-west-1.amazonaws.com", "shared"},
		{"raw.githubusercontent.com", "shared"},
		{"gist.githubusercontent.com", "drop"},
		{"pastebin.com", "drop"},
		{"x.oast.fun", "catcher"},
		{"ifconfig.me", "address"},
		{"bit.ly", "shortener"},
		{"me.duckdns.org", "dyndns"},
		{"192-0-2-1.nip.io", "dyndns"},
		// One tenant's own name, or a nearer fact.
		{"me.github.io", ""},
		{"mybucket.s3.amazonaws.com", ""},
		{"login.windows.net", ""},
		{"fonts.googleapis.com", ""},
		{"ocsp.digicert.com", ""},
		{"2.debian.pool.ntp.org", ""},
		{"use-application-dns.net", ""},
		{"www.example.com", ""},
	} {
		f, ok := Opens(c.name)
		if got := kindWords[f.Kind].word; ok != (c.want != "") || ok && got != c.want {
			t.Errorf("Opens(%s) = %s, %t, want %s", c.name, got, ok, c.want)
		}
	}
}

func TestWarning(t *testing.T) {
	for _, c := range []struct {
		rule string
		want []string // words of it; none: no warning
	}{
		{".github.io", []string{"anyone can have a name below github.io"}},
		{".s3.amazonaws.com", []string{"anyone can have a name below"}},
		{".cloudfront.net", []string{"anyone"}},
		{".amazonaws.com", []string{"anyone"}},
		{".fastly.net", []string{"anyone"}},
		{".r2.cloudflarestorage.com", []string{"anyone"}},
		{".windows.net", []string{"anyone"}},
		{".co.uk", []string{"anyone"}},
		{".com", []string{"anyone"}},
		{".eu-west-1.amazonaws.com", []string{" s3.*.amazonaws.com (shared host)"}},
		{".dualstack.us-east-1.amazonaws.com", []string{"s3.dualstack.*.amazonaws.com (shared host)"}},
		{".google.com", []string{"dns.google.com (DNS resolver)"}},
		{".quad9.net", []string{".quad9.net allows dns.quad9.net (DNS resolver), ", " and 2 more, too"}},
		{".dns.google", []string{"DNS resolver of Google"}},
		{"dns.google", []string{"dns.google is a DNS resolver of Google and answers any DNS query"}},
		{"x.ngrok.io", []string{"tunnel"}},
		{"ifconfig.me", []string{"ifconfig.me is a what-is-my-address service and"}},
		{"s3.amazonaws.com", []string{"all under one name"}},
		{"github.io", nil},
		{"cloudfront.net", nil},
		{"amazonaws.com", nil},
		{".example.com", nil},
		{".a.github.io", nil},
		{".corp.internal", nil},
		{".b.s3.amazonaws.com", nil},
		{"archive.ubuntu.com", nil},
	} {
		name, suffix := strings.CutPrefix(c.rule, ".")
		got := Warning(name, suffix)
		if (got == "") != (len(c.want) == 0) {
			t.Errorf("%s: %q", c.rule, got)
		}
		for _, w := range c.want {
			if !strings.Contains(got, w) {
				t.Errorf("%s: %q lacks %q", c.rule, got, w)
			}
		}
		if strings.Contains(got, "\n") {
			t.Errorf("%s: more than one line", c.rule)
		}
	}
}

// A look-up is part of every row that is drawn.
func TestLookUpsDontAllocate(t *testing.T) {
	for _, name := range []string{"dns.google", "a.b.c.d.mybucket.s3.amazonaws.com", "nothing.is.known.of.this.example.co"} {
		if n := testing.AllocsPerRun(100, func() { Of(name); Opens(name) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkOf(b *testing.B) {
	for _, name := range []string{"dns.google", "a.b.c.mybucket.s3.amazonaws.com", "nothing.is.known.of.this.example.co"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Of(name)
			}
		})
	}
}

// A look-up finds what the slow, obvious way does: the entry of the very name, else
// the first that leaves a label of it open, else the nearest suffix.
func TestOfIsTheNearest(t *testing.T) {
	table := facts()
	slow := func(name string) string {
		var pattern, suffix string
		for _, f := range table.all {
			before, after, open := strings.Cut(f.Name, "*")
			switch {
			case f.Name == name && !f.Suffix:
				return f.Dotted()
			case open && len(name) > len(before)+len(after) && strings.HasPrefix(name, before) && strings.HasSuffix(name, after) && !strings.Contains(name[len(before):len(name)-len(after)], "."):
				pattern = cmp.Or(pattern, f.Dotted())
			case f.Suffix && strings.HasSuffix("."+name, "."+f.Name) && len(f.Dotted()) > len(suffix):
				suffix = f.Dotted()
			}
		}
		return cmp.Or(pattern, suffix)
	}
	for _, f := range table.all {
		name := strings.ReplaceAll(f.Name, "*", "x")
		for _, name := range []string{name, "a." + name, "a.b." + name, "a" + name, parent(name)} {
			got := ""
			if all := table.of(name); len(all) > 0 {
				got = all[0].Dotted()
			}
			if want := slow(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		for up := parent(name); f.Kind.Opens() != "" && up != ""; up = parent(up) {
			if openBelow(up) == "" {
				t.Errorf("%s opens, and nothing is said of it below %s", f.Dotted(), up)
			}
		}
	}
}
