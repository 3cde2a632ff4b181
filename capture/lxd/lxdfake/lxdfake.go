// Package lxdfake is an LXD in memory for tests of what talks to it: networks
// with ETags, instances that are only looked at, and faults on demand. It
// serves one caller at a time.
package lxdfake

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/lxd"
)

// Fault is what goes wrong with a call.
type Fault int

const (
	// None lets the call through.
	None Fault = iota
	// Refuse has LXD answer with an error and do nothing.
	Refuse
	// Conflict has somebody else change the network just before.
	Conflict
	// Unheard does what was asked for and loses the answer.
	Unheard
	// Dead does nothing, and nor does any later call, as if the caller had
	// been killed.
	Dead
)

// ErrLost is what a call returns whose connection broke.
var ErrLost = errors.New("unexpected EOF")

// LXD implements [lxd.Client] as far as networks and the looks of instances
// go; other methods panic.
type LXD struct {
	lxd.Instances
	// Fault is asked before each call on a network what goes wrong with it,
	// and may change the network itself. nil is nothing.
	Fault func(call string) Fault
	// All are the instances. Failures is how often listing them fails first.
	All      []api.InstanceFull
	Failures int
	// Leases are those of each network.
	Leases map[string][]api.NetworkLease
	// Marks is how often a [Conflict] has appended a "+" to a network's
	// user.of-others.
	Marks int

	mu       sync.Mutex
	networks map[string]api.Network
	dead     bool
}

var _ lxd.Client = (*LXD)(nil)

// New returns an LXD with these networks.
func New(networks ...api.Network) *LXD {
	f := &LXD{networks: map[string]api.Network{}}
	for _, n := range networks {
		f.networks[n.Name] = clone(n)
	}
	return f
}

// Network returns a network as it is, past any fault.
func (f *LXD) Network(name string) api.Network {
	f.mu.Lock()
	defer f.mu.Unlock()
	return clone(f.networks[name])
}

// Set changes a network's configuration as somebody else would; "" removes.
func (f *LXD) Set(network, key, value string) {
	n := f.Network(network)
	n.Config[key] = value
	f.Replace(n)
}

// Replace puts another network in the place of the one with its name.
func (f *LXD) Replace(n api.Network) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n = clone(n)
	drop(n.Config)
	f.networks[n.Name] = n
}

// Revive ends the effect of [Dead], as a new process would.
func (f *LXD) Revive() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dead = false
	f.Fault = nil
}

// InProject returns the same LXD: it has one project.
func (f *LXD) InProject(string) lxd.Client { return f }

// GetNetwork returns a network and its ETag.
func (f *LXD) GetNetwork(name string) (*api.Network, string, error) {
	unheard, err := f.fail("GET", name)
	if err != nil {
		return nil, "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.networks[name]
	if !ok {
		return nil, "", api.StatusErrorf(http.StatusNotFound, "Network not found")
	}
	if unheard {
		return nil, "", ErrLost
	}
	n = clone(n)
	return &n, etag(n), nil
}

// GetNetworks returns all networks.
func (f *LXD) GetNetworks() ([]api.Network, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []api.Network
	for _, n := range f.networks {
		all = append(all, clone(n))
	}
	return all, nil
}

// UpdateNetwork replaces what can be set in a network.
func (f *LXD) UpdateNetwork(name string, put api.NetworkPut, tag string) error {
	unheard, err := f.fail("PUT", name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.networks[name]
	if !ok {
		return api.StatusErrorf(http.StatusNotFound, "Network not found")
	}
	if now := etag(n); tag != "" && tag != now {
		return api.StatusErrorf(http.StatusPreconditionFailed, "ETag doesn't match: %s vs %s", tag, now)
	}
	n.SetWritable(put)
	n = clone(n)
	drop(n.Config)
	f.networks[name] = n
	if unheard {
		return ErrLost
	}
	return nil
}

// GetEvents implements [lxd.Client]: a fake has none to tell of.
func (f *LXD) GetEvents() (*client.EventListener, error) {
	return nil, api.StatusErrorf(http.StatusBadRequest, "no events here")
}

// GetNetworkLeases returns a network's leases.
func (f *LXD) GetNetworkLeases(name string) ([]api.NetworkLease, error) {
	return f.Leases[name], nil
}

// GetInstance returns an instance and no ETag.
func (f *LXD) GetInstance(name string) (*api.Instance, string, error) {
	for _, i := range f.All {
		if i.Name == name {
			return &i.Instance, "", nil
		}
	}
	return nil, "", api.StatusErrorf(http.StatusNotFound, "Instance not found")
}

// GetInstances returns the instances.
func (f *LXD) GetInstances(api.InstanceType) ([]api.Instance, error) {
	var all []api.Instance
	for _, i := range f.All {
		all = append(all, i.Instance)
	}
	return all, nil
}

// GetInstancesFullAllProjects returns the instances with their state.
func (f *LXD) GetInstancesFullAllProjects(api.InstanceType) ([]api.InstanceFull, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Failures > 0 {
		f.Failures--
		return nil, ErrLost
	}
	return append([]api.InstanceFull(nil), f.All...), nil
}

// fail returns the error of the call's fault. unheard says that the call goes
// through and its answer is lost.
func (f *LXD) fail(call, network string) (unheard bool, err error) {
	if f.dead {
		return false, ErrLost
	}
	if f.Fault == nil {
		return false, nil
	}
	switch f.Fault(call) {
	case Refuse:
		return false, api.StatusErrorf(http.StatusInternalServerError, "refused by the test")
	case Conflict:
		f.Marks++
		f.Set(network, "user.of-others", f.Network(network).Config["user.of-others"]+"+")
	case Unheard:
		return true, nil
	case Dead:
		f.dead = true
		return false, ErrLost
	}
	return false, nil
}

func clone(n api.Network) api.Network {
	n.Config = maps.Clone(n.Config)
	return n
}

// drop removes empty values, as LXD does.
func drop(config map[string]string) {
	maps.DeleteFunc(config, func(_, value string) bool { return value == "" })
}

func etag(n api.Network) string {
	content, err := json.Marshal(n.Writable())
	if err != nil {
		panic(err) // strings always marshal
	}
	return fmt.Sprintf("%x", sha256.Sum256(content))
}
