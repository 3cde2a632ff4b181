// Package lxd is everything that is said to LXD: the connection, instances,
// the lease of a bridge, the shell, and who owns an address.
package lxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
)

// ErrNoLXD is returned by [Connect] when no daemon is there.
var ErrNoLXD = errors.New("no LXD is running here")

// ErrStopped is an [ErrNoLXD] of a machine that has one: it was stopped, hangs, or
// is restarting.
var ErrStopped = fmt.Errorf("%w, though it is installed", ErrNoLXD)

// Where the packages put LXD's socket.
const (
	snapSocket   = "/var/snap/lxd/common/lxd/unix.socket"
	nativeSocket = "/var/lib/lxd/unix.socket"
)

// defaultProject is where LXD keeps managed bridges, whatever the project of
// the instances on them.
const defaultProject = api.ProjectDefaultName

// Server is a connection to an LXD server.
type Server struct {
	name    string
	project string // of the instances
	socket  string // "" for one that is reached over the network
	client  Client // in project
	close   func()
	version string
	told    *tellings
	// images are the remotes that an image may come from; nil where there is
	// none but the server itself.
	images *remotes
	own    client.ImageServer
}

// SplitTarget splits "REMOTE:NAME", "NAME" and "REMOTE:".
func SplitTarget(s string) (remote, name string) {
	if remote, name, found := strings.Cut(s, ":"); found {
		return remote, name
	}
	return "", s
}

// Connect connects to a remote of the lxc client's configuration; "" is its
// default, which is the LXD of this machine unless it was changed.
func Connect(ctx context.Context, name string) (*Server, error) {
	all, err := loadRemotes()
	if err != nil {
		return nil, err
	}
	name = cmp.Or(name, all.Default)
	r, err := all.named(name)
	if err != nil {
		return nil, fmt.Errorf("connect to LXD: %w", err)
	}
	if r.imagesOnly() {
		return nil, fmt.Errorf("connect to LXD: the remote %q has images only", name)
	}
	s := &Server{name: name, project: cmp.Or(r.Project, defaultProject), images: &all}
	var link client.InstanceServer
	if address, local := strings.CutPrefix(r.Address, "unix:"); local {
		s.socket = socketPath(strings.TrimPrefix(address, "//"))
		link, err = dial(ctx, s.socket)
	} else {
		link, err = await(ctx, func() (client.InstanceServer, error) { return all.instances(name) })
		if err != nil {
			err = fmt.Errorf("connect to LXD's remote %q at %s: %w", name, r.Address, err)
		}
	}
	if err != nil {
		return nil, err
	}
	// Now, since LXD's client keeps what it is told here without a lock.
	if server, err := await(ctx, func() (*api.Server, error) { server, _, err := link.GetServer(); return server, err }); err == nil {
		s.version = server.Environment.Server + " " + server.Environment.ServerVersion
	}
	link = link.UseProject(s.project)
	s.told = &tellings{imageOf: all.imageOf(name)}
	if name != "local" {
		s.told.remote = name + ":"
	}
	s.client, s.own, s.close = newTeller(connection{link}, s.project, s.told), link, link.Disconnect
	return s, nil
}

// ConnectLate is [Connect] that waits for an LXD that is restarting.
func ConnectLate(ctx context.Context, name string) (s *Server, err error) {
	late, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for wait := retryPause; ; wait = min(2*wait, longestPause) {
		s, err = Connect(ctx, name)
		if !errors.Is(err, ErrStopped) || pause(late, wait) != nil {
			return s, err
		}
	}
}

// Await waits until the server answers, which one that is restarting does
// within a while.
func (s *Server) Await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for wait := retryPause; ; wait = min(2*wait, longestPause) {
		_, err := await(ctx, s.networks().GetNetworks)
		if !IsAway(err) || pause(ctx, wait) != nil {
			return err
		}
	}
}

// late takes something away by try, again and again where LXD went away
// meanwhile, which has it still: one that is restarting is waited for.
func (s *Server) late(ctx context.Context, try func() error) error {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := try()
		if !IsAway(err) || s.Await(within) != nil || pause(within, retryPause) != nil {
			return err
		}
	}
}

// New returns a server that is reached through c, for tests that bring their
// own.
func New(c Client) *Server {
	s := &Server{name: "local", project: defaultProject, socket: nativeSocket, told: new(tellings), close: func() {}}
	s.client = newTeller(c, s.project, s.told)
	return s
}

// Name returns the name of the remote.
func (s *Server) Name() string { return s.name }

// Local reports whether the server is on this machine, with its logs.
func (s *Server) Local() bool { return s.socket != "" }

// Version returns the server's software with its version when it was connected
// to, "lxd 5.0.2"; "" where it didn't tell.
func (s *Server) Version() string { return s.version }

// Close ends the connection.
func (s *Server) Close() { s.close() }

// networks returns the client that sees the managed bridges.
func (s *Server) networks() Networks { return s.client.InProject(defaultProject) }

func dial(ctx context.Context, socket string) (client.InstanceServer, error) {
	link, err := await(ctx, func() (client.InstanceServer, error) {
		return client.ConnectLXDUnix(socket, &client.ConnectionArgs{TransportWrapper: hearing})
	})
	switch {
	case err == nil:
		return link, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, said{ErrStopped, fmt.Sprintf("LXD at %s has not answered for %v: restart it", socket, silence)}
	case IsAway(err) && hasDatabase(socket):
		return nil, fmt.Errorf("%w: nobody answers at %s: start it", ErrStopped, socket)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w: nobody answers at %s: install it with snap install lxd && lxd init --auto, or start it", ErrNoLXD, socket)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("connect to LXD at %s: %w: use sudo, or join the group that owns it (usually lxd)", socket, fs.ErrPermission)
	default:
		return nil, fmt.Errorf("connect to LXD at %s: %w", socket, err)
	}
}

// hasDatabase reports whether a daemon has run with that socket.
func hasDatabase(socket string) bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(socket), "database"))
	return err == nil
}

// socketPath returns the daemon's socket, sought as the lxc client does it.
func socketPath(configured string) string {
	if configured != "" {
		return configured
	}
	if socket := os.Getenv("LXD_SOCKET"); socket != "" {
		return socket
	}
	if dir := os.Getenv("LXD_DIR"); dir != "" {
		return filepath.Join(dir, "unix.socket")
	}
	const writable = 2 // W_OK of access(2)
	if syscall.Access(snapSocket, writable) == nil {
		return snapSocket
	}
	return nativeSocket
}
