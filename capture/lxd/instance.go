package lxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

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
	// Started is when it was started last, zero where LXD doesn't know. This
	// and the addresses of its NICs are known of those that are listed.
	Started time.Time
	// Use says who enforces a list on it, or tries it out: "a list is enforced
	// on it by process 4711 since 14:02"; "" for nobody.
	Use string
}

// NIC is a network device of an instance.
type NIC struct {
	Device  string
	Network string // the network or the host's interface it is on
	Hwaddr  string // "" before the first start
	Problem string // why its queries can't be watched; "" if they can
	Address string // of IPv4, or else of IPv6; "" for none
	// Use says who holds the network's lease, as [Instance.Use] does.
	Use string
}

// UnwatchableError says why no NIC of an instance can be watched.
type UnwatchableError struct{ Instance, Why string }

func (e *UnwatchableError) Error() string {
	return fmt.Sprintf("instance %s can't be watched: %s", e.Instance, e.Why)
}

// Running reports whether commands can be run in the instance.
func (i Instance) Running() bool { return i.Status == api.Running.String() }

// Watchable returns the NIC whose queries can be watched: the one on the
// given network, or the first that can where network is "". The error is an
// [*UnwatchableError].
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
	why := strings.Join(problems, "; ")
	switch {
	case len(problems) > 0:
	case len(i.NICs) == 0:
		why = "it has no network device: give it one with lxc network attach"
	default:
		why = fmt.Sprintf("it is not on network %s but on %s", network, strings.Join(i.networks(), ", "))
	}
	return NIC{}, &UnwatchableError{i.Name, why}
}

func (i Instance) networks() []string {
	var names []string
	for _, nic := range i.NICs {
		names = append(names, nic.Network)
	}
	return names
}

// Instances returns those of the remote's project, by name, with their
// addresses and who is at work on them.
func (s *Server) Instances(ctx context.Context) ([]Instance, error) {
	all, err := await(ctx, func() ([]api.InstanceFull, error) {
		return s.client.GetInstancesFullAllProjects(api.InstanceTypeAny)
	})
	if err != nil {
		return nil, fmt.Errorf("list LXD's instances: %w", err)
	}
	facts, err := s.networkFacts(ctx)
	if err != nil {
		return nil, err
	}
	var instances []Instance
	for i := range all {
		if cmp.Or(all[i].Project, defaultProject) != s.project {
			continue
		}
		described := describe(&all[i].Instance, facts)
		if described.Running() {
			described.Started = all[i].LastUsedAt
		}
		for n := range described.NICs {
			described.NICs[n].Address = addressOf(&all[i], described.NICs[n])
		}
		instances = append(instances, described)
	}
	slices.SortFunc(instances, func(a, b Instance) int { return cmp.Compare(a.Name, b.Name) })
	return instances, nil
}

// addressOf returns an address that others reach the NIC by, "" for none.
func addressOf(i *api.InstanceFull, nic NIC) (found string) {
	if i.State == nil || nic.Hwaddr == "" {
		return ""
	}
	for _, link := range i.State.Network {
		if !strings.EqualFold(link.Hwaddr, nic.Hwaddr) {
			continue
		}
		for _, a := range link.Addresses {
			switch {
			case a.Scope != "global":
			case a.Family == "inet":
				return a.Address
			default:
				found = cmp.Or(found, a.Address)
			}
		}
	}
	return found
}

// Instance returns one instance of the remote's project.
func (s *Server) Instance(ctx context.Context, name string) (Instance, error) {
	i, err := s.instance(ctx, name)
	if err != nil {
		return Instance{}, err
	}
	facts, err := s.networkFacts(ctx)
	if err != nil {
		return Instance{}, err
	}
	return describe(i, facts), nil
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
	i, _, err := s.tagged(ctx, name)
	return i, err
}

// tagged returns an instance, and the tag by which LXD refuses a change of it
// that comes after another's.
func (s *Server) tagged(ctx context.Context, name string) (*api.Instance, string, error) {
	var etag string
	i, err := await(ctx, func() (*api.Instance, error) {
		i, tag, err := s.client.GetInstance(name)
		etag = tag
		return i, err
	})
	if err != nil {
		return nil, "", instanceError("look up", name, err)
	}
	return i, etag, nil
}

// instanceError says of which instance LXD said it.
func instanceError(doing, name string, err error) error {
	err = plain(err)
	if IsGone(err) {
		return fmt.Errorf("%s instance %s: %w: see lxc list", doing, name, err)
	}
	return fmt.Errorf("%s instance %s: %w", doing, name, err)
}

// networkFact is what a network has to do with watching it.
type networkFact struct {
	problem string // why it can't be watched; "" if it can
	use     string // see [NIC.Use]
}

// networkFacts returns them by the networks' names.
func (s *Server) networkFacts(ctx context.Context) (map[string]networkFact, error) {
	all, err := await(ctx, s.networks().GetNetworks)
	if err != nil {
		return nil, fmt.Errorf("list LXD's networks: %w", err)
	}
	facts := make(map[string]networkFact, len(all))
	for i := range all {
		fact := networkFact{}
		if err := unwatchable(&all[i]); err != nil {
			fact.problem = err.Error()
		}
		if all[i].Config[lockKey] != "" {
			fact.use = useOf(all[i].Config, "in use", "a killed run left its settings: opening asks whether to undo them")
		}
		facts[all[i].Name] = fact
	}
	return facts, nil
}

// useOf says in few words what the holder that the keys name does, or did.
func useOf(holder map[string]string, does, did string) string {
	if holderDead(holder) {
		return did
	}
	text := does + " by process " + holder[pidKey]
	if host, err := os.Hostname(); err != nil || host != holder[hostKey] {
		text += " on " + holder[hostKey]
	}
	if since, err := time.Parse(time.RFC3339, holder[sinceKey]); err == nil {
		form := "15:04"
		if time.Since(since) > 12*time.Hour {
			form = "2006-01-02 15:04"
		}
		text += " since " + since.Local().Format(form)
	}
	return text
}

func describe(i *api.Instance, facts map[string]networkFact) Instance {
	described := Instance{
		Name: i.Name, Project: cmp.Or(i.Project, defaultProject), Kind: i.Type,
		Status: i.Status, Ephemeral: i.Ephemeral,
	}
	if e, ok := enforcementIn(i.Config); ok {
		described.Use = useOf(e.Holder, "a list is enforced", "a run was killed that enforced a list")
	} else if n, ok := snapshotIn(i.Config); ok {
		described.Use = useOf(n.Holder, "tried out", "a run was killed amid its trials")
	}
	for _, device := range slices.Sorted(maps.Keys(i.ExpandedDevices)) {
		if nic, ok := describeNIC(i, device); ok {
			fact, known := facts[nic.Network]
			if !known {
				fact.problem = "network " + nic.Network + " is none of LXD's"
			}
			nic.Problem, nic.Use = cmp.Or(nic.Problem, fact.problem), fact.use
			described.NICs = append(described.NICs, nic)
		}
		if d := i.ExpandedDevices[device]; d["type"] == "proxy" && d["bind"] != "" && d["bind"] != "host" {
			described.Proxies = append(described.Proxies, device+" to "+d["connect"])
		}
	}
	return described
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

// setState has LXD start, stop or wake an instance. A network that LXD could not
// bring up when it was started is waited for: LXD tries again each minute, and
// refuses the instances on it until then (LXD 5.0's lxd/networks.go).
func (s *Server) setState(ctx context.Context, name, action string) error {
	late, cancel := context.WithTimeout(ctx, networkPatience)
	defer cancel()
	for {
		err := s.operate(ctx, func() (client.Operation, error) {
			return s.client.UpdateInstanceState(name, api.InstanceStatePut{Action: action, Timeout: -1, Force: action == "stop"}, "")
		})
		switch {
		case err == nil:
			return nil
		case !networkLate(err):
			return instanceError(action, name, err)
		case pause(late, longestPause) == nil: // and again
		case ctx.Err() != nil:
			return instanceError(action, name, context.Cause(ctx))
		default:
			return fmt.Errorf("%w; LXD could not bring that network up when it was started, see lxc network list and its log", instanceError(action, name, err))
		}
	}
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
// is fine. A server that is restarting is waited for, which has the instance.
func (s *Server) Remove(ctx context.Context, name string) error {
	return s.late(ctx, func() error { return s.remove(ctx, name) })
}

func (s *Server) remove(ctx context.Context, name string) error {
	var stopped, deleted error
	for try := range removeTries {
		i, err := s.instance(ctx, name)
		switch {
		case IsGone(err):
			return nil
		case err != nil:
			return err
		}
		// Each time: a start that was asked for before may come about only now.
		stopped = nil
		if i.StatusCode != api.Stopped {
			stopped = s.setState(ctx, name, "stop")
		}
		// An ephemeral one is being deleted by LXD now, which makes this fail for
		// a moment.
		deleted = s.operate(ctx, func() (client.Operation, error) { return s.client.DeleteInstance(name) })
		if deleted == nil || IsGone(deleted) {
			return nil
		}
		if err := pause(ctx, retryPause<<try); err != nil {
			return errors.Join(err, instanceError("delete", name, deleted))
		}
	}
	if _, err := s.instance(ctx, name); IsGone(err) {
		return nil
	}
	return errors.Join(stopped, instanceError("delete", name, deleted))
}

// removeTries, each twice as far from the one before, last six seconds.
const removeTries = 7
