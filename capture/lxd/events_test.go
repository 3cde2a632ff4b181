package lxd

import (
	"testing"

	"github.com/canonical/lxd/shared/api"
)

// What concerns the watched network and instance is told from what doesn't.
func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		action, source, old string
		kind                EventKind
		concerns            bool
	}{
		{"network-updated", "/1.0/networks/br?project=p", "", Changed, true},
		{"network-deleted", "/1.0/networks/br", "", Changed, true},
		{"network-updated", "/1.0/networks/br2", "", 0, false},
		{"instance-deleted", "/1.0/instances/c1?project=p", "", Gone, true},
		{"instance-renamed", "/1.0/instances/c2", "c1", Gone, true},
		{"instance-renamed", "/1.0/instances/c1", "c2", 0, false},
		{"instance-deleted", "/1.0/instances/c11", "", 0, false},
		{"instance-stopped", "/1.0/instances/c1", "", 0, false},
		{"instance-snapshot-deleted", "/1.0/instances/c1/snapshots/s", "", 0, false},
	} {
		e := api.EventLifecycle{Action: c.action, Source: c.source, Context: map[string]any{"old_name": c.old}}
		if kind, concerns := kindOf(e, "br", "c1"); kind != c.kind || concerns != c.concerns {
			t.Errorf("%s of %s: %v, %v", c.action, c.source, kind, concerns)
		}
	}
}
