package cli

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Help stays within the width, breaks no word, and names what each flag takes.
func TestHelp(t *testing.T) {
	var look func(*cobra.Command)
	look = func(c *cobra.Command) {
		var b bytes.Buffer
		c.SetOut(&b)
		c.InitDefaultHelpFlag()
		help(c, nil)
		for line := range strings.Lines(b.String()) {
			if line = strings.TrimSuffix(line, "\n"); len(line) > plainWidth || strings.TrimRight(line, " ") != line || strings.ContainsAny(line, "`\t") {
				t.Errorf("%s: the line %q", c.CommandPath(), line)
			}
		}
		for _, sub := range c.Commands() {
			look(sub)
		}
		if c.Name() != "record" {
			return
		}
		for _, want := range []string{
			"\n  lxd-allowlist record [flags] INSTANCE -- COMMAND...\n",
			"\n  lxd-allowlist record dnstest --format squid --output allow.txt -- sh \\\n    /root/install.sh\n",
			"\n  --format FORMAT            the list's format, see lxd-allowlist formats;\n                             without a screen several, with commas between them\n                             (default plain)\n",
			"\n  --strict                   exit with 1",
		} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("it lacks %q:\n%s", want, b.String())
			}
		}
	}
	look(command())
}

func TestColumns(t *testing.T) {
	var b bytes.Buffer
	err := columns(&b, 1, 30, [][]string{{"a", "some words that are wrapped", "https://a.example/whole"}, {"bcd", "é", "two\nlines the second of them longer"}})
	want := []string{" a    some words   https://a.example/whole", "      that are", "      wrapped", " bcd  é            two", "                   lines the", "                     second of", "                     them", "                     longer", ""}
	if got := strings.Split(b.String(), "\n"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %q", err, got)
	}
}

// The man page has every verb and flag, as roff takes them.
func TestMan(t *testing.T) {
	var b strings.Builder
	man(&b, command())
	page := b.String()
	if !strings.HasPrefix(page, ".TH LXD-ALLOWLIST 1 \"\" \"lxd\\-allowlist") || strings.ContainsAny(page, "`'") {
		t.Errorf("it begins with %q, or has quotes that roff changes", page[:60])
	}
	for _, want := range []string{"\n.SS sessions prune [flags] \\-\\-older AGE\n", "\n.TP\n.B \\-\\-output FILE\nthe file to write", "\n.SH EXAMPLES\n"} {
		if strings.Count(page, want) == 0 {
			t.Errorf("it lacks %q:\n%s", want, page)
		}
	}
}
