package lxd

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
)

// snapshotKey of an instance names who is going to put it back from a snapshot.
// It is written before the snapshot is made, so that the snapshot has it, too,
// and putting the instance back keeps it.
const snapshotKey = ourKeys + "snapshot"

// snapshotPrefix begins the names of our snapshots.
const snapshotPrefix = programName + "-"

// Snapshot is what an instance is put back to.
type Snapshot struct {
	Instance string
	Name     string
	// Outside are the instance's disks that the snapshot doesn't hold, as
	// "data at /srv".
	Outside []string

	server  *Server
	running bool // the instance was
}

// snapshotNote is what stands under snapshotKey.
type snapshotNote struct {
	Holder   map[string]string `json:"holder"`
	Snapshot string            `json:"snapshot"`
	Running  bool              `json:"running"`
}

func snapshotIn(config map[string]string) (n snapshotNote, ok bool) {
	text, ok := config[snapshotKey]
	if ok {
		_ = json.Unmarshal([]byte(text), &n) // what can't be read is nobody's
	}
	return n, ok
}

// Snapshot makes a snapshot of an instance, which [Snapshot.PutBack] puts it
// back to. It fails where somebody alive has one, and where LXD can't make one.
func (s *Server) Snapshot(ctx context.Context, instance string) (*Snapshot, error) {
	i, err := s.instance(ctx, instance)
	if err != nil {
		return nil, err
	}
	if i.Ephemeral {
		return nil, fmt.Errorf("snapshot instance %s: it is ephemeral, so that LXD deletes it when it is stopped to be put back: use a copy of it, as lxc copy makes one", instance)
	}
	p := &Snapshot{
		Instance: instance, Name: snapshotPrefix + strings.ToLower(rand.Text()[:8]), Outside: outside(i.ExpandedDevices),
		server: s, running: i.StatusCode != api.Stopped,
	}
	note, err := json.Marshal(snapshotNote{holderKeys(), p.Name, p.running})
	if err != nil {
		return nil, err
	}
	write := func(config map[string]string) error {
		if err := errors.Join(enforcedBy(instance, config), triedBy(instance, config, false)); err != nil {
			return err
		}
		config[snapshotKey] = string(note)
		return nil
	}
	if err := takeFrom(ctx, func() error { return s.updateInstance(ctx, instance, write) }); err != nil {
		return nil, err
	}
	// Not left to itself when the context ends: what is half made can't be
	// removed.
	never := time.Time{}
	err = s.operate(context.WithoutCancel(ctx), func() (client.Operation, error) {
		return s.client.CreateInstanceSnapshot(instance, api.InstanceSnapshotsPost{Name: p.Name, ExpiresAt: &never})
	})
	if err != nil {
		return nil, errors.Join(instanceError("snapshot", instance, err), p.forget(context.WithoutCancel(ctx)))
	}
	return p, nil
}

// triedBy returns an error if an instance is going to be put back from a
// snapshot, by whom or for whom ever; by this process is fine with ourselves.
func triedBy(instance string, config map[string]string, ourselves bool) error {
	n, ok := snapshotIn(config)
	switch {
	case !ok || ourselves && ours(n.Holder):
		return nil
	case holderDead(n.Holder):
		return fmt.Errorf("instance %s is still as a killed run left it, amid its trials: put it back first: lxd-allowlist restore", instance)
	}
	return fmt.Errorf("process %s of user %s works on instance %s and will put it back: wait for it to end", n.Holder[pidKey], n.Holder[userKey], instance)
}

// outside returns the disks that no snapshot of the instance holds.
func outside(devices map[string]map[string]string) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(devices)) {
		if d := devices[name]; d["type"] == "disk" && d["path"] != "/" && d["path"] != "" {
			all = append(all, name+" at "+d["path"])
		}
	}
	return all
}

// Restore makes the instance what it was when the snapshot was made: its disk,
// its configuration and whether it runs. Processes start anew.
func (p *Snapshot) Restore(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx) // half of it is worse than none
	if err := p.server.settled(ctx, p.Instance); err != nil {
		return err
	}
	i, err := p.server.instance(ctx, p.Instance)
	if err != nil {
		return err
	}
	if !p.running && i.StatusCode != api.Stopped { // else LXD starts it again
		if err := p.server.setState(ctx, p.Instance, "stop"); err != nil {
			return err
		}
	}
	err = p.server.operate(ctx, func() (client.Operation, error) {
		return p.server.client.UpdateInstance(p.Instance, api.InstancePut{Restore: p.Name}, "")
	})
	if err != nil {
		return instanceError("put back", p.Instance, fmt.Errorf("%w; its snapshot %s is kept: lxd-allowlist restore tries it again", err, p.Name))
	}
	if p.running { // a trial may have stopped it
		return p.server.Start(ctx, p.Instance)
	}
	return nil
}

// settled waits for what LXD is doing to an instance: it goes on with that when
// who asked for it was killed, and refuses anything else meanwhile.
func (s *Server) settled(ctx context.Context, instance string) error {
	all, err := await(ctx, s.client.GetOperations)
	if err != nil {
		return fmt.Errorf("list LXD's operations: %w", err)
	}
	for _, o := range all {
		if !slices.Contains(worksOn(o), instance) {
			continue
		}
		_, err := await(ctx, func() (*api.Operation, error) {
			o, _, err := s.client.GetOperationWait(o.ID, -1)
			return o, err
		})
		if err != nil && !IsGone(err) { // it has ended
			return instanceError("wait for what LXD does to", instance, err)
		}
	}
	return nil
}

// worksOn returns the instances that an operation is on that goes on by itself.
func worksOn(o api.Operation) (instances []string) {
	if o.Class != "task" || o.StatusCode.IsFinal() {
		return nil
	}
	for _, url := range o.Resources["instances"] {
		path, _, _ := strings.Cut(url, "?")
		if _, name, ok := strings.Cut(path, "/instances/"); ok {
			name, _, _ = strings.Cut(name, "/")
			instances = append(instances, name)
		}
	}
	return instances
}

// PutBack restores the instance, and removes the snapshot and the note. Where
// the snapshot was never made, or is gone since the instance was put back, the
// note alone is left. An instance that is gone is fine.
func (p *Snapshot) PutBack(ctx context.Context) error {
	err := p.server.settled(ctx, p.Instance) // the snapshot may be about to be there
	there := false
	if err == nil {
		there, err = p.exists(ctx)
	}
	if err == nil && there {
		if err = p.Restore(ctx); err == nil {
			err = p.remove(ctx)
		}
	}
	if err == nil {
		err = p.forget(ctx)
	}
	return unlessGone(err)
}

// exists reports whether the snapshot is there. One whose name isn't ours is
// somebody else's, whatever a note says.
func (p *Snapshot) exists(ctx context.Context) (bool, error) {
	if !strings.HasPrefix(p.Name, snapshotPrefix) {
		return false, nil
	}
	_, err := await(ctx, func() (*api.InstanceSnapshot, error) {
		s, _, err := p.server.client.GetInstanceSnapshot(p.Instance, p.Name)
		return s, err
	})
	switch {
	case IsGone(err):
		return false, nil
	case err != nil:
		return false, instanceError("look up snapshot "+p.Name+" of", p.Instance, err)
	}
	return true, nil
}

func (p *Snapshot) remove(ctx context.Context) error {
	err := p.server.operate(ctx, func() (client.Operation, error) {
		return p.server.client.DeleteInstanceSnapshot(p.Instance, p.Name, "")
	})
	if err != nil {
		return instanceError("remove snapshot "+p.Name+" of", p.Instance, err)
	}
	return nil
}

// forget takes the note away.
func (p *Snapshot) forget(ctx context.Context) error {
	return p.server.updateInstance(ctx, p.Instance, func(config map[string]string) error {
		if n, ok := snapshotIn(config); !ok || n.Snapshot != p.Name {
			return errUnchanged
		}
		delete(config, snapshotKey)
		return nil
	})
}

// LeftSnapshots returns the snapshots that killed runs have left instances of
// the remote's project to be put back to, with force those of the living, too.
func (s *Server) LeftSnapshots(ctx context.Context, force bool) (left []*Snapshot, err error) {
	all, err := s.noted(ctx)
	for i := range all {
		if n, ok := snapshotIn(all[i].Config); ok && (force || holderDead(n.Holder)) {
			left = append(left, &Snapshot{Instance: all[i].Name, Name: n.Snapshot, server: s, running: n.Running})
		}
	}
	return left, err
}
