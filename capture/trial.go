package capture

import (
	"time"

	"lxd-allowlist/export/rule"
)

// Trial is a run of a command in an instance with some rules in force, and
// nothing else allowed.
type Trial struct {
	Instance string        `json:"instance"`
	Command  []string      `json:"command"`
	User     string        `json:"user,omitempty"`
	Strict   bool          `json:"strict,omitempty"` // packets were refused, too
	Allowed  []string      `json:"allowed"`          // the rules, as rule.Rule.Dotted writes them
	Worked   bool          `json:"worked"`
	Took     time.Duration `json:"took"` // nanoseconds
	At       time.Time     `json:"at"`
}

// Tried adds a trial that was made before.
func (l *Ledger) Tried(t Trial) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trials = append(l.trials, t)
}

// Verified notes what came of the ledger's list when it was enforced.
func (l *Ledger) Verified(v rule.Verified) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v.At = v.At.Round(0)
	l.verified = v
	if l.sink != nil {
		l.sink.Verified(v)
		l.sink.Told()
	}
}

// Trials returns the trials that were made, in their order.
func (r Reader) Trials() []Trial { return r.l.trials }
