package lxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
)

// Instance is a container or virtual machine.
type Instance struct {
	Name      string
	Project   string
	Kind      string // "container", "virtual-machine"
	Status    string // LXD's word: "Running", "Stopped"
	Ephemeral bool   // LXD deletes it when it stops
	NICs      []NIC  // by device name
	// Proxies are the devices by which the host connects for it, as
	// "mail to tcp:10.0.0.1:25".
	Proxies []string
}

// NIC is a network device of an instance.
type NIC struct {
	Device  string
	Network string // the network or the host's interface it is on
	Hwaddr  string // "" before the first start
	Problem string // why its queries can't be watched; "" if they can
}

// Running reports whether commands can be run in the instance.
func (i Instance) Running() bool { return i.Status == api.Running.String() }

// Watchable returns the NIC whose queries can be watched: the one on the
// given network, or the first that can where network is "". The error says
// why there is none.
func (i Instance) Watchable(network string) (NIC, error) {
	var problems []string
	for _, nic := range i.NICs {
		switch {
		case network != "" && nic.Network != network:
		case nic.Problem == "":
			return nic, nil
		default:
			problems = append(problems, nic.Device+": "+nic.Problem)
		}
	}
	switch {
	case len(problems) > 0:
		return NIC{}, fmt.Errorf("instance %s can't be watched: %s", i.Name, strings.Join(problems, "; "))
	case len(i.NICs) == 0:
		return NIC{}, fmt.Errorf("instance %s has no network device: give it one with lxc network attach", i.Name)
	default:
		return NIC{}, fmt.Errorf("instance %s is not on network %s but on %s", i.Name, network, strings.Join(i.networks(), ", "))
	}
}

func (i Instance) networks() []string {
	var names []string
	for _, nic := range i.NICs {
		names = append(names, nic.Network)
	}
	return names
}

// Instances returns those of the remote's project, by name.
func (s *Server) Instances(ctx context.Context) ([]Instance, error) {
	all, err := await(ctx, func() ([]api.Instance, error) { return s.client.GetInstances(api.InstanceTypeAny) })
	if err != nil {
		return nil, fmt.Errorf("list LXD's instances: %w", err)
	}
	problems, err := s.networkProblems(ctx)
	if err != nil {
		return nil, err
	}
	instances := make([]Instance, len(all))
	for i := range all {
		instances[i] = describe(&all[i], problems)
	}
	slices.SortFunc(instances, func(a, b Instance) int { return cmp.Compare(a.Name, b.Name) })
	return instances, nil
}

// Instance returns one instance of the remote's project.
func (s *Server) Instance(ctx context.Context, name string) (Instance, error) {
	i, err := s.instance(ctx, name)
	if err != nil {
		return Instance{}, err
	}
	problems, err := s.networkProblems(ctx)
	if err != nil {
		return Instance{}, err
	}
	return describe(i, problems), nil
}

// InitPID returns the number that a running container's first process has on
// this host. The error says why there is none that could be looked at.
func (s *Server) InitPID(ctx context.Context, name string) (int, error) {
	if !s.Local() {
		return 0, fmt.Errorf("processes of instance %s can't be told: they are on the remote %q, and are seen from there alone", name, s.name)
	}
	i, err := s.instance(ctx, name)
	if err != nil {
		return 0, err
	}
	if i.Type == string(api.InstanceTypeVM) {
		return 0, fmt.Errorf("processes of instance %s can't be told: it is a virtual machine, with a kernel of its own", name)
	}
	state, err := s.state(ctx, name)
	if err != nil {
		return 0, err
	}
	if state.Pid <= 0 {
		return 0, fmt.Errorf("processes of instance %s can't be told: it isn't running", name)
	}
	return int(state.Pid), nil
}

func (s *Server) state(ctx context.Context, name string) (*api.InstanceState, error) {
	state, err := await(ctx, func() (*api.InstanceState, error) {
		state, _, err := s.client.GetInstanceState(name)
		return state, err
	})
	if err != nil {
		return nil, instanceError("look up", name, err)
	}
	return state, nil
}

func (s *Server) instance(ctx context.Context, name string) (*api.Instance, error) {
	i, err := await(ctx, func() (*api.Instance, error) {
		i, _, err := s.client.GetInstance(name)
		return i, err
	})
	if err != nil {
		return nil, instanceError("look up", name, err)
	}
	return i, nil
}

// instanceError says of which instance LXD said it.
func instanceError(doing, name string, err error) error {
	err = plain(err)
	if api.StatusErrorCheck(err, http.StatusNotFound) {
		return fmt.Errorf("%s instance %s: %w: see lxc list", doing, name, err)
	}
	return fmt.Errorf("%s instance %s: %w", doing, name, err)
}

// networkProblems returns why each network can't be watched, "" if it can.
func (s *Server) networkProblems(ctx context.Context) (map[string]string, error) {
	all, err := await(ctx, s.networks().GetNetworks)
	if err != nil {
		return nil, fmt.Errorf("list LXD's networks: %w", err)
	}
	problems := make(map[string]string, len(all))
	for i := range all {
		problems[all[i].Name] = ""
		if err := unwatchable(&all[i]); err != nil {
			problems[all[i].Name] = err.Error()
		}
	}
	return problems, nil
}

func describe(i *api.Instance, problems map[string]string) Instance {
	described := Instance{
		Name: i.Name, Project: cmp.Or(i.Project, defaultProject), Kind: i.Type,
		Status: i.Status, Ephemeral: i.Ephemeral,
	}
	for _, device := range slices.Sorted(maps.Keys(i.ExpandedDevices)) {
		if nic, ok := describeNIC(i, device); ok {
			if nic.Problem == "" {
				nic.Problem = networkProblem(nic.Network, problems)
			}
			described.NICs = append(described.NICs, nic)
		}
		if d := i.ExpandedDevices[device]; d["type"] == "proxy" && d["bind"] != "" && d["bind"] != "host" {
			described.Proxies = append(described.Proxies, device+" to "+d["connect"])
		}
	}
	return described
}

func networkProblem(network string, problems map[string]string) string {
	problem, known := problems[network]
	if !known {
		return "network " + network + " is none of LXD's"
	}
	return problem
}

// describeNIC returns a device, if it is a NIC, with what the device alone
// shows to be a problem.
func describeNIC(i *api.Instance, device string) (NIC, bool) {
	d := i.ExpandedDevices[device]
	if d["type"] != "nic" {
		return NIC{}, false
	}
	nic := NIC{
		Device:  device,
		Network: cmp.Or(d["network"], d["parent"]),
		Hwaddr:  cmp.Or(d["hwaddr"], i.Config["volatile."+device+".hwaddr"]),
	}
	if kind := d["nictype"]; d["network"] == "" && kind != "bridged" {
		nic.Problem = "a " + kind + " device goes past the host's dnsmasq"
	}
	return nic, true
}

// Start starts an instance, or wakes a frozen one; a running one is fine.
func (s *Server) Start(ctx context.Context, name string) error {
	i, err := s.instance(ctx, name)
	if err != nil {
		return err
	}
	switch i.StatusCode {
	case api.Running, api.Ready:
		return nil
	case api.Frozen:
		return s.setState(ctx, name, "unfreeze")
	default:
		return s.setState(ctx, name, "start")
	}
}

func (s *Server) setState(ctx context.Context, name, action string) error {
	err := s.operate(ctx, func() (client.Operation, error) {
		return s.client.UpdateInstanceState(name, api.InstanceStatePut{Action: action, Timeout: -1, Force: action == "stop"}, "")
	})
	if err != nil {
		return instanceError(action, name, err)
	}
	return nil
}

// operate begins an operation and waits for its end.
func (s *Server) operate(ctx context.Context, begin func() (client.Operation, error)) error {
	op, err := await(ctx, begin)
	if err != nil {
		return err
	}
	return plain(op.WaitContext(ctx))
}

// Remove stops an instance by force and deletes it. One that is already gone
// is fine.
func (s *Server) Remove(ctx context.Context, name string) error {
	i, err := s.instance(ctx, name)
	switch {
	case api.StatusErrorCheck(err, http.StatusNotFound):
		return nil
	case err != nil:
		return err
	}
	var failed error
	if i.StatusCode != api.Stopped {
		failed = s.setState(ctx, name, "stop")
	}
	// An ephemeral one is being deleted by LXD now, which makes this fail for
	// a moment.
	for try := range removeTries {
		err = s.operate(ctx, func() (client.Operation, error) { return s.client.DeleteInstance(name) })
		if err == nil || api.StatusErrorCheck(err, http.StatusNotFound) {
			return nil
		}
		if waitErr := pause(ctx, retryPause<<try); waitErr != nil {
			return errors.Join(waitErr, instanceError("delete", name, err))
		}
		if _, gone := s.instance(ctx, name); api.StatusErrorCheck(gone, http.StatusNotFound) {
			return nil
		}
	}
	return errors.Join(failed, instanceError("delete", name, err))
}

// removeTries, each twice as far from the one before, last six seconds.
const removeTries = 7
