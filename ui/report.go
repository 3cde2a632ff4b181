package ui

import (
	"errors"
	"io/fs"
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/capture"
	"lxd-allowlist/export"
	"lxd-allowlist/ui/dialog"
)

type wroteReportMsg struct {
	of   *dialog.Report
	path string
	err  error
}

func (m *monitor) openReport() {
	var stem string
	m.capture.Ledger.Read(func(r capture.Reader) { stem = fileStem(r.Info()) })
	m.dialog = dialog.NewReport(m.keys, m.enforcing.summary, strings.TrimSuffix(stem, "allowlist")+"verified")
}

// writeReport writes the report that is shown.
func (m *monitor) writeReport(w dialog.WriteReport) tea.Cmd {
	d, _ := m.dialog.(*dialog.Report)
	r := m.enforcing.report
	return func() tea.Msg {
		var text []byte
		var err error
		if w.Markdown {
			text = r.Markdown()
		} else {
			text, err = r.JSON()
		}
		if err == nil {
			err = export.WriteFile(w.Path, text, w.How == dialog.Overwrite)
		}
		return wroteReportMsg{d, w.Path, err}
	}
}

func (m *monitor) wroteReport(msg wroteReportMsg) {
	d, open := m.dialog.(*dialog.Report)
	open = open && d == msg.of
	switch {
	case msg.err != nil && open:
		d.Failed(msg.err, errors.Is(msg.err, fs.ErrExist))
		return
	case msg.err != nil:
		m.say(msg.err.Error())
		return
	case open:
		m.dialog = nil
	}
	m.say("wrote the report to " + msg.path)
}
