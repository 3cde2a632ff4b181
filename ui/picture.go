package ui

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/look"
)

// picture writes the table as it is seen to an SVG file, for a ticket. No file
// is overwritten.
func (m *monitor) picture() tea.Cmd {
	w := m.w
	m.w = m.layout.table.w // the header is made for what stands below it
	header := m.header()
	m.w = w
	lines := append([]string{header}, m.table.Draw(m.styles, false, m.whyEmpty())...)
	for i := range lines {
		lines[i] = look.Fit(lines[i], m.layout.table.w)
	}
	var stem string
	m.capture.Ledger.Read(func(r capture.Reader) { stem = fileStem(r.Info()) })
	stem = strings.TrimSuffix(stem, "allowlist") + "table"
	text := look.SVG(lines, m.layout.table.w, m.dark)
	return func() tea.Msg {
		for n := 1; ; n++ {
			path := stem + ".svg"
			if n > 1 {
				path = fmt.Sprintf("%s-%d.svg", stem, n)
			}
			switch err := export.WriteFile(path, text, false); {
			case errors.Is(err, fs.ErrExist):
			case err != nil:
				return noteMsg(err.Error())
			default:
				return noteMsg("wrote a picture of the table to " + path)
			}
		}
	}
}

func needsTable(m *monitor) string {
	if m.layout.table.h > 0 {
		return ""
	}
	return "the table isn't seen: " + m.keys.Show("zoom-shell") + " gave the shell its room"
}
