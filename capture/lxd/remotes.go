package lxd

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
	"go.yaml.in/yaml/v2"
)

// remotes is what the lxc client's configuration says of servers: config.yml
// and the certificates beside it, the user's and, for names that are not in it,
// the machine's.
//
//	config.yml            default-remote, and remotes by name: addr, protocol, public, project, auth_type
//	client.crt, .key      who the user is; client.ca is the authority of a PKI
//	servercerts/NAME.crt  who the server is, where no authority vouches for it
//	oidctokens/NAME.json  what a log-in with OpenID Connect gave
type remotes struct {
	Default string            `yaml:"default-remote"`
	ByName  map[string]remote `yaml:"remotes"`

	dir string
}

// remote is a server of instances, of images, or of both.
type remote struct {
	Address  string `yaml:"addr"` // "https://HOST:PORT", or "unix://" with a path or without
	Protocol string `yaml:"protocol"`
	Public   bool   `yaml:"public"`
	Project  string `yaml:"project"`
	AuthType string `yaml:"auth_type"`

	dir string // where its certificate is
}

const simpleStreams = "simplestreams"

// imagesOnly reports whether no instance can be there.
func (r remote) imagesOnly() bool { return r.Public || r.Protocol == simpleStreams }

// knownRemotes are those that lxc brings with it; a configuration may name
// others by these names.
func knownRemotes() map[string]remote {
	all := map[string]remote{"local": {Address: "unix://"}}
	for name, address := range map[string]string{
		"images":               "https://images.lxd.canonical.com",
		"ubuntu":               "https://cloud-images.ubuntu.com/releases/",
		"ubuntu-daily":         "https://cloud-images.ubuntu.com/daily/",
		"ubuntu-minimal":       "https://cloud-images.ubuntu.com/minimal/releases/",
		"ubuntu-minimal-daily": "https://cloud-images.ubuntu.com/minimal/daily/",
	} {
		all[name] = remote{Address: address, Protocol: simpleStreams, Public: true}
	}
	return all
}

// loadRemotes reads the user's configuration, of lxc or of its snap, and the
// machine's. $LXC_REMOTE names another default.
func loadRemotes() (remotes, error) {
	home, _ := os.UserHomeDir() // none: nothing is found there
	dirs := []string{filepath.Join(home, ".config", "lxc"), filepath.Join(home, "snap", "lxd", "common", "config")}
	if dir := os.Getenv("LXD_CONF"); dir != "" {
		dirs = []string{dir}
	}
	users := remotes{dir: dirs[0]}
	for _, dir := range dirs {
		found, err := readRemotes(dir)
		if err == nil {
			users = found
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return remotes{}, err
		}
	}
	machine, err := readRemotes(cmp.Or(os.Getenv("LXD_GLOBAL_CONF"), "/etc/lxd"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return remotes{}, err
	}
	all := knownRemotes()
	maps.Copy(all, machine.ByName)
	maps.Copy(all, users.ByName)
	users.ByName = all
	users.Default = cmp.Or(os.Getenv("LXC_REMOTE"), users.Default, "local")
	return users, nil
}

// readRemotes reads one configuration.
func readRemotes(dir string) (r remotes, err error) {
	data, err := os.ReadFile(filepath.Join(dir, "config.yml"))
	if err == nil {
		err = yaml.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("read lxc's configuration in %s: %w", dir, oneLine(err))
	}
	r.dir = dir
	for name, one := range r.ByName {
		one.dir = dir
		r.ByName[name] = one
	}
	return r, nil
}

// oneLine keeps to one line what a reader of YAML says in several.
func oneLine(err error) error {
	if !strings.Contains(err.Error(), "\n") {
		return err
	}
	return errors.New(strings.Join(strings.Fields(err.Error()), " "))
}

// named returns the remote of that name.
func (r remotes) named(name string) (remote, error) {
	one, ok := r.ByName[name]
	if !ok {
		return one, fmt.Errorf("lxc knows no remote %q: see lxc remote list", name)
	}
	return one, nil
}

// instances connects to a server of instances over the network.
func (r remotes) instances(name string) (client.InstanceServer, error) {
	one, err := r.named(name)
	if err != nil {
		return nil, err
	}
	args, err := r.arguments(name, one)
	if err != nil {
		return nil, err
	}
	return client.ConnectLXD(one.Address, args)
}

// images connects to a server of images.
func (r remotes) images(name string) (client.ImageServer, error) {
	one, err := r.named(name)
	if err != nil {
		return nil, err
	}
	if path, local := strings.CutPrefix(one.Address, "unix:"); local {
		return client.ConnectLXDUnix(socketPath(strings.TrimPrefix(path, "//")), nil)
	}
	args, err := r.arguments(name, one)
	switch {
	case err != nil:
		return nil, err
	case one.Protocol == simpleStreams:
		return client.ConnectSimpleStreams(one.Address, args)
	case one.Public:
		return client.ConnectPublicLXD(one.Address, args)
	}
	return client.ConnectLXD(one.Address, args)
}

// arguments returns what a connection to a remote needs of files.
func (r remotes) arguments(name string, one remote) (*client.ConnectionArgs, error) {
	a := &client.ConnectionArgs{AuthType: one.AuthType}
	files := map[string]*string{filepath.Join(cmp.Or(one.dir, r.dir), "servercerts", name+".crt"): &a.TLSServerCert}
	switch {
	case one.AuthType == api.AuthenticationMethodOIDC:
		var tokens string
		path := filepath.Join(r.dir, "oidctokens", name+".json")
		if err := readInto(path, &tokens); err != nil {
			return nil, err
		}
		if tokens == "" {
			return nil, fmt.Errorf("the remote %q wants a log-in with OpenID Connect: log in with lxc list %s: first", name, name)
		}
		if err := json.Unmarshal([]byte(tokens), &a.OIDCTokens); err != nil {
			return nil, fmt.Errorf("read the log-in in %s: %w; log in with lxc list %s: once more", path, err, name)
		}
	case !one.imagesOnly():
		files[filepath.Join(r.dir, "client.crt")] = &a.TLSClientCert
		files[filepath.Join(r.dir, "client.key")] = &a.TLSClientKey
		files[filepath.Join(r.dir, "client.ca")] = &a.TLSCA
	}
	for path, to := range files {
		if err := readInto(path, to); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// readInto reads a file that need not be there.
func readInto(path string, to *string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	*to = string(data)
	return err
}

// imageOf returns what names the remote whose images are at an address, with a
// colon behind; "" for those of own.
func (all *remotes) imageOf(own string) func(address string) string {
	return func(address string) string {
		for _, name := range slices.Sorted(maps.Keys(all.ByName)) {
			if name != own && strings.TrimSuffix(all.ByName[name].Address, "/") == strings.TrimSuffix(address, "/") {
				return name + ":"
			}
		}
		return ""
	}
}
