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
	report("looking up "+s.Instance, -1)
	if s.adopted, err = s.server.Adopt(ctx, s.Instance); err != nil {
		return err
	}
	i, err := s.server.Instance(ctx, s.Instance)
	if err != nil {
		return err
	}
	nic, err := i.Watchable(c.Network)
	if err != nil {
		return err
	}
	s.Network = nic.Network
	if i.Running() && c.Launch == "" {
		return nil
	}
	if !i.Running() {
		report("starting "+s.Instance, -1)
		if err := s.server.Start(ctx, s.Instance); err != nil {
			return err
		}
	}
	report("waiting for "+s.Instance+" to have an address", -1)
	return s.awaitAddress(ctx)
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

func (s *Capture) awaitAddress(ctx context.Context) error {
	late, cancel := context.WithTimeout(ctx, addressPatience)
	defer cancel()
	again := time.NewTicker(addressEvery)
	defer again.Stop()
	for {
		has, err := s.server.HasAddress(late, s.Instance, s.Network)
		if err != nil && late.Err() == nil {
			return err
		}
		if has {
			return nil
		}
		select {
		case <-again.C:
		case <-late.Done():
			if ctx.Err() == nil {
				s.notice(s.Instance + " has no address yet: its network may not be ready")
			}
			return ctx.Err()
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
