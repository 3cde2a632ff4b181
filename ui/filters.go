package ui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// filters are those that were typed, for the next time.
type filters struct {
	// Saved have a key each; those of the config stand before them.
	Saved []string `json:"saved,omitempty"`
	// Past are the latest that were typed, the newest last.
	Past []string `json:"past,omitempty"`

	recalled int    // how far back the one is that is shown; 0 for what is typed
	typed    string // what was typed before one was recalled
}

// pastMost is how many filters are remembered.
const pastMost = 50

// filterChoice is what a choice of a saved filter is about.
type filterChoice struct{}

// editFilter has the filter be typed.
func (m *monitor) editFilter() {
	m.prefs.Filters.recalled = 0
	m.table.EditFilter()
}

// endFilter ends the typing, and remembers the filter.
func (m *monitor) endFilter() {
	f, text := &m.prefs.Filters, m.table.Filter()
	m.table.EndFilter()
	if text == "" || m.table.FilterError() != nil {
		return
	}
	f.Past = append(slices.DeleteFunc(f.Past, func(p string) bool { return p == text }), text)
	f.Past = f.Past[max(0, len(f.Past)-pastMost):]
}

// recall shows a filter that was typed before, or after it for a step below 0;
// past what is typed now it goes to the table.
func (m *monitor) recall(step int) {
	f := &m.prefs.Filters
	if f.recalled == 0 {
		f.typed = m.table.Filter()
	}
	switch f.recalled = min(f.recalled+step, len(f.Past)); {
	case f.recalled < 0:
		m.endFilter()
		m.table.Move(1)
	case f.recalled == 0:
		m.table.SetFilter(f.typed)
	default:
		m.table.SetFilter(f.Past[len(f.Past)-f.recalled])
	}
}

// savedMost is how many filters have keys.
const savedMost = 8

// saved returns the filters that have a key, in their order.
func (m *monitor) saved() []string {
	all := slices.Concat(m.opts.Settings.Filters, m.prefs.Filters.Saved)
	return all[:min(len(all), savedMost)]
}

// saveFilter gives the filter a key, or takes it away.
func (m *monitor) saveFilter() {
	text, own := m.table.Filter(), &m.prefs.Filters.Saved
	switch at := slices.Index(*own, text); {
	case at >= 0:
		*own = slices.Delete(*own, at, at+1)
		m.say("forgotten: " + text)
	case slices.Contains(m.saved(), text):
		m.say("the config has it: " + text)
	case len(m.saved()) == savedMost:
		m.say(fmt.Sprintf("all %d keys have a filter: %s on one of them takes it away", savedMost, m.keys.Show(rowSaveFilter)))
	default:
		*own = append(*own, text)
		m.say(fmt.Sprintf("saved: %s shows %s", m.keys.Nth(rowSaved, len(m.saved())-1), text))
	}
}

// useFilter filters by a saved one.
func (m *monitor) useFilter(nth int) tea.Cmd {
	all := m.saved()
	if nth >= len(all) {
		m.say(m.savedFilters())
		return nil
	}
	m.table.SetFilter(all[nth])
	m.endFilter()
	return nil
}

// openFilters has one of the saved filters be chosen.
func (m *monitor) openFilters() {
	var options []dialog.Option
	for i, text := range m.saved() {
		options = append(options, dialog.Option{Name: m.keys.Nth(rowSaved, i), Says: text})
	}
	m.dialog = dialog.NewChoice(m.keys, "Saved filters", m.keys.Show(rowSaveFilter)+" saves the filter that is shown, or forgets it.", options, filterChoice{})
}

func needsSaved(m *monitor) string {
	if len(m.saved()) > 0 {
		return ""
	}
	return m.savedFilters()
}

// savedFilters says how many filters are saved.
func (m *monitor) savedFilters() string {
	if n := len(m.saved()); n > 0 {
		return look.Plural(n, "filter") + " saved: " + m.keys.Show(rowFilters) + " lists them"
	}
	return "no filter is saved: " + m.keys.Show(rowFilter) + " types one, " + m.keys.Show(rowSaveFilter) + " saves it"
}

func needsFilter(m *monitor) string {
	switch err := m.table.FilterError(); {
	case m.table.Filter() == "":
		return "there is no filter to save: " + m.keys.Show(rowFilter) + " types one"
	case err != nil:
		return "the filter can't be understood: " + err.Error()
	}
	return ""
}

// needsShown is for what is done with all that is shown: it has to be what the
// user meant.
func needsShown(m *monitor) string {
	if err := m.table.FilterError(); err != nil {
		return "the filter can't be understood, so that nothing is shown: " + err.Error()
	}
	if busy := m.table.Busy(); busy != "" {
		return "the table is still " + busy
	}
	return needsRow(m)
}
