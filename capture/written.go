package capture

import (
	"fmt"
	"time"
)

// Written is a file that a list was written to.
type Written struct {
	Format string    `json:"format"`
	Path   string    `json:"path"` // absolute, or [Stdout]
	At     time.Time `json:"at"`
}

// Stdout is the path of a list that was written to standard output.
const Stdout = "standard output"

// String says when and where to: "2026-11-25 13:00 to /root/allow.txt (squid)".
func (w Written) String() string {
	return fmt.Sprintf("%s to %s (%s)", w.At.Format("2006-01-02 15:04"), w.Path, w.Format)
}

// Exported notes that the ledger's list was written.
func (l *Ledger) Exported(w Written) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.At = w.At.Round(0)
	// Where else the list went doesn't tell what a file lacks.
	if w.Path != Stdout || l.exported == nil || l.exported.Path == Stdout {
		l.exported, l.exportedAt = &w, l.steps
	}
	if l.sink != nil {
		l.sink.Exported(w)
		l.sink.Told()
	}
}

// Exported returns the last file that the list was written to, else that it
// went to standard output, nil for neither, and whether anything was decided since.
func (r Reader) Exported() (last *Written, stale bool) {
	return r.l.exported, r.l.exported != nil && r.l.steps != r.l.exportedAt
}

// Decided reports whether a person decided anything at all, even if it was
// taken back.
func (r Reader) Decided() bool { return r.l.steps > 0 || r.l.info.NXDOMAIN != TrustAuto }

// Marks returns how many domains and groups a person decided about.
func (r Reader) Marks() (n int) {
	for id := range ID(r.l.n) {
		if r.l.at(id).decision() != New {
			n++
		}
	}
	for _, m := range r.l.groups {
		if m.Decision != New {
			n++
		}
	}
	return n
}

// Empty reports whether there is nothing to go on with: nobody asked for a
// name, decided anything or went round the bridge's DNS.
func (r Reader) Empty() bool {
	ways, beyond, _ := r.Bypasses()
	return r.Asked() == 0 && r.l.steps == 0 && len(ways) == 0 && beyond == 0
}

// Asked returns how many domains were asked for.
func (r Reader) Asked() (n int) {
	for id := range ID(r.l.n) {
		if r.l.asked(id) {
			n++
		}
	}
	return n
}
