package live

import (
	"context"
	"errors"

	"lxd-allowlist/capture/crash"
	"lxd-allowlist/capture/witness"
	"lxd-allowlist/capture/witness/cgroup"
	"lxd-allowlist/capture/witness/wire"
)

// Watches returns what sees an instance of this machine: its packets, and its
// processes.
func Watches() map[witness.Source]Watch {
	return map[witness.Source]Watch{witness.Wire: watchPackets, witness.Who: watchProcesses}
}

// watchPackets is a [Watch] of the host's end of the instance's network device.
func watchPackets(run context.Context, of Place, to witness.Sink, state func(why string)) (<-chan struct{}, error) {
	w, err := plug(run, of)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go crash.Guarded("the watch over packets", func() {
		for w != nil {
			err := w.Watch(run, to)
			if closed := w.Close(); err == nil {
				err = closed
			}
			if run.Err() != nil {
				return
			}
			if errors.Is(err, wire.ErrGone) {
				state("its network device was away: it was stopped or restarted")
			} else {
				state(err.Error())
			}
			if w = plugAnew(run, of); w != nil {
				state("")
			}
		}
	}, func() { close(ended) })()
	return ended, nil
}

func plug(ctx context.Context, of Place) (*wire.Wire, error) {
	name, err := of.Interface(ctx)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errors.New("LXD doesn't tell the host's end of its network device")
	}
	return wire.Open(name)
}

// plugAnew waits for the instance to be back; nil at the end.
func plugAnew(run context.Context, of Place) (w *wire.Wire) {
	whileAbsent(run, func() bool {
		var err error
		w, err = plug(run, of)
		return err == nil
	})
	return w
}

// watchProcesses is a [Watch] of the calls of a container's processes. What is
// missed while it restarts is told as lost.
func watchProcesses(run context.Context, of Place, to witness.Sink, _ func(why string)) (<-chan struct{}, error) {
	w, err := cgroup.Start(run, of.InitPID, whileAbsent, to)
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go crash.Guarded("the end of the watch over processes", func() { <-run.Done() }, func() { close(ended) }, w.Close)()
	return ended, nil
}
