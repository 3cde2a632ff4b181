package table

import "lxd-allowlist/capture"

// Follow shows another ledger from now on, with the filter, the order and the
// groups as they are. Nothing is selected.
func (t *Table) Follow(l *capture.Ledger) {
	if t.job != nil {
		t.job.cancel()
		t.job = nil
	}
	t.ledger, t.shown, t.missing = l, newArrangement(t.want), false
	t.Rest()
	t.remake(stay)
}
