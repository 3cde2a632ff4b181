package output

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"lxd-allowlist/export"
)

var update = flag.Bool("update", false, "write docs/formats.md anew")

const reference = "../../docs/formats.md"

// plainly makes Markdown show a text as it is.
var plainly = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", "&lt;", "|", `\|`, "`", "\\`", "[", `\[`, "~", `\~`)

// docs/formats.md is what the formats say of themselves.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Formats

Made of what the formats say of themselves: go test ./export/output -update. The same by ` + "`lxd-allowlist formats NAME`" + `, and on top of each file.

An exact rule allows a name alone, a suffix also everything below it; h is the name. What a format can't hold is left out, and said. FILE is the file that was written, and a sample of it is linked.

`)
	for _, f := range append(export.Formats(), export.TemplateHelp) {
		fmt.Fprintf(&b, "## %s\n\n%s", f.Name, plainly.Replace(f.Title))
		if f.ReadsBack() {
			fmt.Fprintf(&b, " ([sample](../export/testdata/%s.%s))", f.Name, f.Extension)
		}
		b.WriteString("\n\n")
		for _, l := range facts(f) {
			fmt.Fprintf(&b, "- **%s** %s\n", l.word, plainly.Replace(l.text))
		}
		b.WriteString("\n")
	}
	want := strings.TrimSuffix(b.String(), "\n")
	if *update {
		if err := os.WriteFile(reference, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, reference); got != want {
		t.Errorf("%s is not what the formats say; run with -update", reference)
	}
	for line := range strings.Lines(want) {
		if _, file, ok := strings.Cut(line, "](../"); ok {
			file, _, _ = strings.Cut(file, ")")
			if _, err := os.Stat("../../" + file); err != nil {
				t.Error(err)
			}
		}
	}
}
