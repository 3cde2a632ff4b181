package ui

import (
	"lxd-allowlist/capture"
	"lxd-allowlist/ui/table"
)

// wayOf returns a way round the bridge's DNS, the zero one if there is none of
// that key any more.
func (m *monitor) wayOf(key string) (way capture.Bypass) {
	m.capture.Ledger.Read(func(r capture.Reader) {
		ways, _, _ := r.Bypasses()
		for _, b := range ways {
			if table.WayKey(b) == key {
				way = b
			}
		}
	})
	return way
}

// noDomain says why nothing can be decided about a way round.
func (m *monitor) noDomain(it table.Selection) string {
	b := m.wayOf(it.Way)
	if place := b.Place(); place != "" {
		return place + " is an address, and a list holds names: decide about it where the list is loaded; " + m.keys.Show("copy-name") + " copies it"
	}
	return "a list holds names that the bridge was asked for: " + b.Kind.String() + " is none; " + m.keys.Show("details") + " says more"
}
