package lxd

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/shell"
)

// Told is one thing that LXD was told to do: a change, or to run a command.
type Told struct {
	At      time.Time
	Command string // of lxc, that does the same, as a shell takes it
	Failed  string // why LXD refused it; "" where it did not
}

// Told returns what LXD was told since it was connected to, in that order.
func (s *Server) Told() []Told {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	return slices.Clone(s.told.all)
}

// OnTold has to called with all that LXD is told from now on.
func (s *Server) OnTold(to func(Told)) {
	s.told.mu.Lock()
	defer s.told.mu.Unlock()
	s.told.to = to
}

// tellings is what LXD was told.
type tellings struct {
	remote  string              // in front of names: "" or "lab:"
	imageOf func(string) string // the remote whose images are at an address, with a colon

	mu  sync.Mutex
	all []Told
	to  func(Told)
	was map[string]map[string]string // configurations as last read, by what they are of
}

// teller is a client that keeps what LXD is told: all requests pass here.
type teller struct {
	Client
	told    *tellings
	project string
}

func newTeller(c Client, project string, told *tellings) teller {
	told.was = make(map[string]map[string]string)
	return teller{c, told, project}
}

// InProject implements [Client], as the following do.
func (t teller) InProject(name string) Client { return teller{t.Client.InProject(name), t.told, name} }

func (t teller) GetNetwork(name string) (*api.Network, string, error) {
	n, etag, err := t.Client.GetNetwork(name)
	if err == nil {
		t.remember("network", name, n.Config)
	}
	return n, etag, err
}

func (t teller) GetInstance(name string) (*api.Instance, string, error) {
	i, etag, err := t.Client.GetInstance(name)
	if err == nil {
		t.remember("config", name, i.Config)
	}
	return i, etag, err
}

func (t teller) UpdateNetwork(name string, n api.NetworkPut, etag string) error {
	commands := t.changes("network", name, n.Config)
	err := t.Client.UpdateNetwork(name, n, etag)
	t.tell(err, commands...)
	return err
}

func (t teller) UpdateInstance(name string, i api.InstancePut, etag string) (client.Operation, error) {
	commands := []string{t.lxc("restore", t.named(name), i.Restore)}
	if i.Restore == "" {
		commands = t.changes("config", name, i.Config)
	}
	op, err := t.Client.UpdateInstance(name, i, etag)
	t.tell(err, commands...)
	return op, err
}

func (t teller) UpdateInstanceState(name string, state api.InstanceStatePut, etag string) (client.Operation, error) {
	words := []string{state.Action, t.named(name)}
	if state.Action == "unfreeze" {
		words[0] = "start"
	}
	if state.Force {
		words = append(words, "--force")
	}
	op, err := t.Client.UpdateInstanceState(name, state, etag)
	t.tell(err, t.lxc(words...))
	return op, err
}

func (t teller) DeleteInstance(name string) (client.Operation, error) {
	op, err := t.Client.DeleteInstance(name)
	t.tell(err, t.lxc("delete", t.named(name)))
	return op, err
}

func (t teller) CreateInstanceSnapshot(instance string, s api.InstanceSnapshotsPost) (client.Operation, error) {
	op, err := t.Client.CreateInstanceSnapshot(instance, s)
	t.tell(err, t.lxc("snapshot", t.named(instance), s.Name, "--no-expiry"))
	return op, err
}

func (t teller) DeleteInstanceSnapshot(instance, name, volumes string) (client.Operation, error) {
	op, err := t.Client.DeleteInstanceSnapshot(instance, name, volumes)
	t.tell(err, t.lxc("delete", t.named(instance)+"/"+name))
	return op, err
}

func (t teller) ExecInstance(name string, exec api.InstanceExecPost, args *client.InstanceExecArgs) (client.Operation, error) {
	words := []string{"exec", t.named(name)}
	for _, key := range slices.Sorted(maps.Keys(exec.Environment)) {
		words = append(words, "--env", key+"="+exec.Environment[key])
	}
	if exec.Interactive {
		words = append(words, "-t")
	}
	op, err := t.Client.ExecInstance(name, exec, args)
	t.tell(err, t.lxc(append(append(words, "--"), exec.Command...)...))
	return op, err
}

func (t teller) CreateInstanceFromImage(source client.ImageServer, image api.Image, r api.InstancesPost) (client.RemoteOperation, error) {
	name := image.Fingerprint
	if r.Source.Alias != "" {
		name = r.Source.Alias
	}
	if info, err := source.GetConnectionInfo(); err == nil && t.told.imageOf != nil {
		name = t.told.imageOf(info.URL) + name
	}
	words := []string{"init", name, t.named(r.Name)}
	if r.Type == api.InstanceTypeVM {
		words = append(words, "--vm")
	}
	if r.Ephemeral {
		words = append(words, "--ephemeral")
	}
	for _, device := range slices.Sorted(maps.Keys(r.Devices)) {
		words = append(words, "--network", r.Devices[device]["network"])
	}
	for _, key := range slices.Sorted(maps.Keys(r.Config)) {
		words = append(words, "--config", key+"="+r.Config[key])
	}
	op, err := t.Client.CreateInstanceFromImage(source, image, r)
	t.tell(err, t.lxc(words...))
	return op, err
}

// changes are the commands that make a configuration what it is to be from what
// it was when it was read last.
func (t teller) changes(kind, name string, config map[string]string) (commands []string) {
	t.told.mu.Lock()
	was := t.told.was[t.key(kind, name)]
	t.told.mu.Unlock()
	set := []string{kind, "set", t.named(name)}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if before, there := was[key]; config[key] != before || config[key] != "" && !there {
			set = append(set, key+"="+shown(key, config[key]))
		}
	}
	if len(set) > 3 {
		commands = append(commands, t.lxc(set...))
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if _, stays := config[key]; !stays {
			commands = append(commands, t.lxc(kind, "unset", t.named(name), key))
		}
	}
	return commands
}

// shown is a key's value, but for keys of others, which may hold secrets. No
// change is one to those, unless somebody else made one that wasn't read.
func shown(key, value string) string {
	if key == rawKey || strings.HasPrefix(key, ourKeys) {
		return value
	}
	return "…"
}

func (t teller) key(kind, name string) string { return kind + " " + t.project + " " + name }

func (t teller) remember(kind, name string, config map[string]string) {
	t.told.mu.Lock()
	defer t.told.mu.Unlock()
	t.told.was[t.key(kind, name)] = maps.Clone(config)
}

func (t teller) named(name string) string { return t.told.remote + name }

// lxc is a command line of lxc's.
func (t teller) lxc(words ...string) string {
	line := "lxc"
	if t.project != defaultProject {
		line += " --project " + shell.Word(t.project)
	}
	for _, w := range words {
		line += " " + shell.Word(w)
	}
	return line
}

// toldMost bounds what is kept: the last of it.
const toldMost = 10_000

func (t teller) tell(err error, commands ...string) {
	failed := ""
	if err != nil {
		failed = plain(err).Error()
	}
	t.told.mu.Lock()
	defer t.told.mu.Unlock()
	for _, c := range commands {
		one := Told{time.Now(), c, failed}
		if t.told.all = append(t.told.all, one); len(t.told.all) > toldMost {
			t.told.all = slices.Delete(t.told.all, 0, toldMost/10)
		}
		if t.told.to != nil {
			t.told.to(one)
		}
	}
}
