package ui

import (
	"lxd-allowlist/capture"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/ui/table"
)

// wayOf returns a way round the bridge's DNS, the zero one if there is none of
// that key any more.
func (m *monitor) wayOf(key string) (way capture.Bypass) {
	m.capture.Ledger.Read(func(r capture.Reader) { way, _ = table.Way(r, key) })
	return way
}

// canKeep reports whether a list can hold a way round: a bare address. To keep a
// resolver would open the way round the list.
func (m *monitor) canKeep(it table.Selection) bool {
	b := m.wayOf(it.Way)
	return b.Kind == witness.Bare && b.To.IsValid()
}

// noDomain says why nothing can be decided about a way round.
func (m *monitor) noDomain(it table.Selection) string {
	if m.canKeep(it) {
		return "an address has no domain: " + m.keys.Show("keep") + " keeps it, " + m.keys.Show("drop") + " drops it"
	}
	return "no list holds " + m.wayOf(it.Way).Kind.String() + ": " + m.keys.Show("details") + " says what it means"
}

// askers names the programs that asked for a domain, in short; "" where nobody
// knows.
func (m *monitor) askers(name string) (by string) {
	m.capture.Ledger.Read(func(r capture.Reader) {
		if id, ok := r.Lookup(name); ok {
			by = table.ByOf(r, r.Witnessed(id).Actors)
		}
	})
	return by
}
