// Package lxdfake is an LXD in memory for tests of what talks to it: networks
// with ETags, instances that are only looked at, and faults on demand. It
// serves one caller at a time.
package lxdfake

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
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
	// Torn is an LXD that is killed after it wrote its database and before it
	// restarted dnsmasq.
	Torn
	// Half is a cluster with a member down: LXD refuses, while another member
	// has taken what was wanted.
	Half
)

// ErrLost is what a call returns whose connection broke.
var ErrLost = fmt.Errorf("PUT http://unix.socket/1.0/networks: %w", io.ErrUnexpectedEOF)

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
	// Operations is asked for what LXD is doing; nil is nothing.
	Operations func() []api.Operation
	// Leases are those of each network.
	Leases map[string][]api.NetworkLease
	// Marks is how often a [Conflict] has appended a "+" to a network's
	// user.of-others.
	Marks int

	mu       sync.Mutex
	networks map[string]api.Network
	running  map[string]string // each network's raw.dnsmasq that dnsmasq was started with
	dead     bool
}

var _ lxd.Client = (*LXD)(nil)

// New returns an LXD with these networks.
func New(networks ...api.Network) *LXD {
	f := &LXD{networks: map[string]api.Network{}, running: map[string]string{}}
	for _, n := range networks {
		f.networks[n.Name] = clone(n)
		f.running[n.Name] = n.Config["raw.dnsmasq"]
	}
	return f
}

// Running returns the raw.dnsmasq that a network's dnsmasq was started with,
// on the member of a cluster that differs, if one does.
func (f *LXD) Running(network string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running[network]
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
	f.running[n.Name] = n.Config["raw.dnsmasq"]
}

// Delete takes a network away, past LXD's own calls.
func (f *LXD) Delete(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.networks, name)
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
	fault, err := f.fail("GET", name)
	if err != nil {
		return nil, "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.networks[name]
	if !ok {
		return nil, "", api.StatusErrorf(http.StatusNotFound, "Network not found")
	}
	if fault == Unheard || fault == Torn {
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

// UpdateNetwork replaces what can be set in a network. As in LXD, what equals
// the database does nothing, and dnsmasq is started anew for raw.dnsmasq alone.
func (f *LXD) UpdateNetwork(name string, put api.NetworkPut, tag string) error {
	fault, err := f.fail("PUT", name)
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
	raw := n.Config["raw.dnsmasq"]
	n.SetWritable(put)
	n = clone(n)
	drop(n.Config)
	if fault != Half {
		f.networks[name] = n
	}
	if n.Config["raw.dnsmasq"] != raw && fault != Torn {
		f.running[name] = n.Config["raw.dnsmasq"]
	}
	switch fault {
	case Unheard, Torn:
		return ErrLost
	case Half:
		return api.StatusErrorf(http.StatusInternalServerError, "failed to notify peer 198.18.0.3:8443")
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
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range f.All {
		if i.Name == name {
			return &i.Instance, "", nil
		}
	}
	return nil, "", api.StatusErrorf(http.StatusNotFound, "Instance not found")
}

// GetInstanceState returns an instance's state, an empty one if it has none.
func (f *LXD) GetInstanceState(name string) (*api.InstanceState, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range f.All {
		if i.Name == name && i.State != nil {
			return i.State, "", nil
		}
	}
	return new(api.InstanceState), "", nil
}

// GetInstances returns the instances.
func (f *LXD) GetInstances(api.InstanceType) ([]api.Instance, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
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

// GetOperations returns what Operations does, none without.
func (f *LXD) GetOperations() ([]api.Operation, error) {
	if f.Operations == nil {
		return nil, nil
	}
	return f.Operations(), nil
}

// UpdateInstance sets an instance's configuration.
func (f *LXD) UpdateInstance(name string, put api.InstancePut, _ string) (client.Operation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.All {
		if f.All[i].Name == name {
			f.All[i].Config = maps.Clone(put.Config)
		}
	}
	return done{}, nil
}

// UpdateInstanceState stops ephemeral instances, which is their end.
func (f *LXD) UpdateInstanceState(name string, _ api.InstanceStatePut, _ string) (client.Operation, error) {
	return f.DeleteInstance(name)
}

// DeleteInstance removes an instance.
func (f *LXD) DeleteInstance(name string) (client.Operation, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.All = slices.DeleteFunc(f.All, func(i api.InstanceFull) bool { return i.Name == name })
	return done{}, nil
}

// done is an operation that went well.
type done struct{ client.Operation }

func (done) WaitContext(context.Context) error { return nil }

// fail returns the error of the call's fault, or the fault of a call that goes
// through otherwise than it should.
func (f *LXD) fail(call, network string) (Fault, error) {
	if f.dead {
		return None, ErrLost
	}
	if f.Fault == nil {
		return None, nil
	}
	fault := f.Fault(call)
	switch fault {
	case Refuse:
		return None, api.StatusErrorf(http.StatusInternalServerError, "refused by the test")
	case Conflict:
		f.Marks++
		f.Set(network, "user.of-others", f.Network(network).Config["user.of-others"]+"+")
	case Dead:
		f.dead = true
		return None, ErrLost
	}
	return fault, nil
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
