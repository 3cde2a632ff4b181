package enforce

import (
	"context"
	"time"

	"lxd-allowlist/capture/verify"
)

// standsEvery is how often it is looked whether the fence is still there.
const standsEvery = time.Second

// keepWatch notices that somebody took the fence away: from then on the list is
// not in force, and the report says since when.
func (e *Enforcement) keepWatch(ctx context.Context) {
	again := time.NewTicker(standsEvery)
	defer again.Stop()
	for {
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
		if e.countKept() {
			e.Tell()
		}
		if stands, err := e.fence.Load().Stands(); err != nil || stands || ctx.Err() != nil {
			continue // what can't be looked at is tried at the end
		}
		e.note(verify.Proof{
			At: time.Now(), Tried: "whether the packet filter's tables are there",
			Why: "somebody took them away: nothing is refused any more; end this and begin anew",
		})
		close(e.fallen)
		e.Tell()
		return
	}
}

// Fallen is closed when somebody took the fence away.
func (e *Enforcement) Fallen() <-chan struct{} { return e.fallen }
