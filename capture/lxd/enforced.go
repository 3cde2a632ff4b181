package lxd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
)

// enforcedKey of an instance names who enforces a list on it, as the keys of a
// lease do on a network. What is put on the host is written here first.
const enforcedKey = ourKeys + "enforced"

// Enforced is an instance that a killed run enforced a list on, with where it
// was plugged in then.
type Enforced struct {
	Instance string
	Plug     Plug
}

// enforcement is what stands under enforcedKey.
type enforcement struct {
	Holder map[string]string `json:"holder"`
	Plug   Plug              `json:"plug"`
}

func enforcementIn(config map[string]string) (e enforcement, ok bool) {
	text, ok := config[enforcedKey]
	if ok {
		_ = json.Unmarshal([]byte(text), &e) // what can't be read is nobody's
	}
	return e, ok
}

// enforcedBy returns an error if somebody alive enforces a list on an instance.
func enforcedBy(instance string, config map[string]string) error {
	e, ok := enforcementIn(config)
	if !ok || holderDead(e.Holder) {
		return nil
	}
	by, since := holderIn(e.Holder)
	return &HeldError{Instance: instance, By: by, Since: since}
}

// Enforce notes on an instance that this process enforces a list on it, and
// returns what takes the note away, which waits for an LXD that is restarting.
// It fails where somebody alive does so. An instance that is gone by then took
// its note along.
func (s *Server) Enforce(ctx context.Context, instance string, plug Plug) (release func(context.Context) error, err error) {
	text, err := json.Marshal(enforcement{holderKeys(), plug})
	if err != nil {
		return nil, err
	}
	note := func(config map[string]string) error {
		if err := errors.Join(enforcedBy(instance, config), triedBy(instance, config, true)); err != nil {
			return err
		}
		config[enforcedKey] = string(text)
		return nil
	}
	if err := takeFrom(ctx, func() error { return s.updateInstance(ctx, instance, note) }); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		return s.forgetEnforced(ctx, instance, func(note string) bool { return note == string(text) })
	}, nil
}

// LeftEnforced returns the instances of the remote's project that killed runs
// enforced a list on, with force those of the living, too.
func (s *Server) LeftEnforced(ctx context.Context, force bool) (left []Enforced, err error) {
	all, err := s.noted(ctx)
	for i := range all {
		if e, ok := enforcementIn(all[i].Config); ok && (force || holderDead(e.Holder)) {
			left = append(left, Enforced{all[i].Name, e.Plug})
		}
	}
	return left, err
}

// updating is what LXD's operation says that changes an instance's
// configuration (LXD 5.0 to 6, lxd/db/operationtype).
const updating = "Updating instance"

// noted returns the instances of the remote's project once all notes are on
// them that killed runs have told LXD to make. On an error there may be more.
func (s *Server) noted(ctx context.Context) ([]api.Instance, error) {
	still, err := s.atRest(ctx, func(o api.Operation, _ string) bool { return o.Description == updating })
	if err != nil {
		return nil, err
	}
	if still != "" {
		err = fmt.Errorf("LXD is still changing instance %s: if a killed run told it to, run %s restore again when that is done", still, programName)
	}
	all, failed := await(ctx, func() ([]api.Instance, error) { return s.client.GetInstances(api.InstanceTypeAny) })
	if failed != nil {
		failed = fmt.Errorf("list LXD's instances: %w", failed)
	}
	return all, errors.Join(err, failed)
}

// ForgetEnforced takes the note of a killed run away.
func (s *Server) ForgetEnforced(ctx context.Context, instance string) error {
	return s.forgetEnforced(ctx, instance, func(string) bool { return true })
}

// forgetEnforced takes the note on an instance away if it is the one.
func (s *Server) forgetEnforced(ctx context.Context, instance string, is func(note string) bool) error {
	return unlessGone(s.late(ctx, func() error {
		return s.updateInstance(ctx, instance, func(config map[string]string) error {
			if note, ok := config[enforcedKey]; !ok || !is(note) {
				return errUnchanged
			}
			delete(config, enforcedKey)
			return nil
		})
	}))
}

// unlessGone returns the error of undoing something on an instance, nil where
// there is no such instance any more.
func unlessGone(err error) error {
	if IsGone(err) {
		return nil
	}
	return err
}

// errUnchanged ends an update that has nothing to do.
var errUnchanged = errors.New("unchanged")

// updateInstance changes an instance's configuration by change, as often as
// others change it meanwhile. A write that has begun is waited for, whatever the
// context says: it would go on in LXD unseen, and leave what nobody takes away.
func (s *Server) updateInstance(ctx context.Context, name string, change func(config map[string]string) error) error {
	for try := 1; ; try++ {
		i, etag, err := s.tagged(ctx, name)
		if err != nil {
			return err
		}
		i.Config = maps.Clone(i.Config)
		if i.Config == nil {
			i.Config = map[string]string{}
		}
		if err := change(i.Config); err != nil {
			if errors.Is(err, errUnchanged) {
				return nil
			}
			return err
		}
		if err := ctx.Err(); err != nil {
			return instanceError("change", name, err)
		}
		err = s.operate(context.WithoutCancel(ctx), func() (client.Operation, error) { return s.client.UpdateInstance(name, i.Writable(), etag) })
		switch {
		case err == nil:
			return nil
		case !conflict(err) || try == conflictTries:
			return instanceError("change", name, err)
		}
		if err := pause(ctx, time.Duration(try)*retryPause); err != nil {
			return err
		}
	}
}
