package live

import (
	"context"
	"fmt"
	"time"

	"lxd-allowlist/capture/lxd"
)

// choose finds the instance, makes or starts it where that is needed, and
// finds the bridge that is watched.
func (s *Capture) choose(ctx context.Context, c Config, report Report) (err error) {
	s.Instance = c.Instance
	if c.Launch != "" {
		report("launching "+c.Launch, -1)
		name, err := s.server.Launch(ctx, c.Launch, c.Network, report)
		if err != nil {
			return err
		}
		s.Instance, s.launched = name, true
	}
	if s.adopted, err = s.server.Adopt(ctx, s.Instance); err != nil {
		return err
	}
	network, addressed, err := Ready(ctx, s.server, s.Instance, c.Network, s.launched, report)
	s.Network = network
	if err == nil && !addressed {
		s.notice(s.Instance + " has no address yet: its network may not be ready")
	}
	return err
}

// Ready starts an instance where that is needed and returns the bridge that it
// is on, see [lxd.Instance.Watchable]. One that was started, or that is fresh,
// has an address then or, in the time that it may take, got none.
func Ready(ctx context.Context, server *lxd.Server, instance, network string, fresh bool, report Report) (bridge string, addressed bool, err error) {
	report("looking up "+instance, -1)
	i, err := server.Instance(ctx, instance)
	if err != nil {
		return "", false, err
	}
	nic, err := i.Watchable(network)
	if err != nil {
		return "", false, err
	}
	if i.Running() && !fresh {
		return nic.Network, true, nil
	}
	if !i.Running() {
		report("starting "+instance, -1)
		if err := server.Start(ctx, instance); err != nil {
			return nic.Network, false, err
		}
	}
	report("waiting for "+instance+" to have an address", -1)
	addressed, err = awaitAddress(ctx, server, instance, nic.Network)
	return nic.Network, addressed, err
}

// tidy removes the instances that killed runs launched, but for the one that
// is captured, which goes at the end of this capture.
func (s *Capture) tidy(ctx context.Context) {
	removed, err := s.server.RemoveLeft(ctx)
	for _, r := range removed {
		s.notice(r.String())
	}
	if err != nil && ctx.Err() == nil {
		s.notice(err.Error()) // it is in nobody's way
	}
	if s.adopted {
		s.launched = true
		s.notice("instance " + s.Instance + " was launched by a killed run: it is removed at the end")
	}
}

// An instance that was just started asks for its address within seconds; one
// that never gets one may still be used, so the wait ends.
const (
	addressPatience = 20 * time.Second
	addressEvery    = 100 * time.Millisecond
)

func awaitAddress(ctx context.Context, server *lxd.Server, instance, network string) (has bool, err error) {
	late, cancel := context.WithTimeout(ctx, addressPatience)
	defer cancel()
	again := time.NewTicker(addressEvery)
	defer again.Stop()
	for {
		has, err := server.HasAddress(late, instance, network)
		if err != nil && late.Err() == nil {
			return false, err
		}
		if has {
			return true, nil
		}
		select {
		case <-again.C:
		case <-late.Done():
			return false, ctx.Err()
		}
	}
}

// Shell opens a login shell in the instance, as the user or, where that is "",
// as the one that its image is made for.
func (s *Capture) Shell(ctx context.Context, user string, width, height int) (*lxd.Shell, error) {
	return s.server.Shell(ctx, s.Instance, user, width, height)
}

// Run runs a command in the instance and returns its exit code.
func (s *Capture) Run(ctx context.Context, c lxd.Command) (code int, err error) {
	return s.server.Run(ctx, s.Instance, c)
}

// Title names what is captured.
func (s *Capture) Title() string { return fmt.Sprintf("%s on %s", s.Instance, s.Network) }
