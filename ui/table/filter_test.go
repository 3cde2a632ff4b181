package table

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"lxd-allowlist/ui/look"
)

// FuzzSearch holds whatever is typed as a filter to be refused in one line, or to
// show the rows that its opposite doesn't, in lines of the table's own width.
func FuzzSearch(f *testing.F) {
	for _, text := range []string{
		"is:new !type:ptr", "~^a.*[0-9]+\\.", "!~(", "seen:5m result:nx", "from:10 by: port:443/udp", "cmd:apt+update", "state:unused", "!", "type:", "~", "A.EX", "is:out b:c", "\u202e~\x1b[31m", "seen:-9999999h",
	} {
		f.Add(text)
	}
	ledger := ledgerOf("a1.example", "b.example", "1.2.0.192.in-addr.arpa", "x.y.example.org")
	feed(ledger, noon, "query[HTTPS] b.example from 10.0.0.6", "reply b.example is NXDOMAIN", "query[A] wpad.lxd from 10.0.0.5")
	styles := look.NewStyles(true)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 256 { // more of the same, and slow
			return
		}
		const width = 60
		table := New(ledger)
		table.Resize(width, 12)
		table.Refresh(noon.Add(time.Minute))
		filtered := func(by string) (names []string) {
			table.EditFilter()
			table.SetFilter(by)
			table.Complete()
			if err := table.FilterError(); err != nil && strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%q: %q", by, err)
			}
			table.SetFilter(by)
			for _, line := range table.Draw(styles, true, nil) {
				if w := ansi.StringWidth(line); w != width || strings.ContainsAny(ansi.Strip(line), "\n\r\t\x1b") {
					t.Errorf("%q draws %q, of %d cells", by, line, w)
				}
			}
			table.EndFilter()
			return shown(table)
		}
		all, some := filtered(""), filtered(text)
		text = table.Filter() // what can be typed of it
		if table.FilterError() != nil || len(strings.Fields(text)) != 1 || strings.Contains(text, "!") {
			return
		}
		others := filtered("!" + strings.TrimSpace(text))
		if both := slices.Concat(some, others); table.FilterError() != nil || len(both) != len(all) || slices.ContainsFunc(all, func(name string) bool { return !slices.Contains(both, name) }) {
			t.Errorf("%q shows %q, its opposite %q, %v", text, some, others, table.FilterError())
		}
	})
}
