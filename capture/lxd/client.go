package lxd

import (
	"context"
	"io"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/crash"
)

// Networks is what this package uses of LXD's client for networks.
type Networks interface {
	GetNetwork(name string) (*api.Network, string, error)
	GetNetworks() ([]api.Network, error)
	UpdateNetwork(name string, network api.NetworkPut, ETag string) error
	GetNetworkLeases(name string) ([]api.NetworkLease, error)
	GetEvents() (*client.EventListener, error)
}

// Instances is what this package uses of LXD's client for instances.
type Instances interface {
	GetInstance(name string) (*api.Instance, string, error)
	GetInstances(kind api.InstanceType) ([]api.Instance, error)
	GetInstancesFullAllProjects(kind api.InstanceType) ([]api.InstanceFull, error)
	GetInstanceState(name string) (*api.InstanceState, string, error)
	CreateInstanceFromImage(source client.ImageServer, image api.Image, req api.InstancesPost) (client.RemoteOperation, error)
	UpdateInstance(name string, instance api.InstancePut, ETag string) (client.Operation, error)
	UpdateInstanceState(name string, state api.InstanceStatePut, ETag string) (client.Operation, error)
	DeleteInstance(name string) (client.Operation, error)
	CreateInstanceSnapshot(instance string, snapshot api.InstanceSnapshotsPost) (client.Operation, error)
	GetInstanceSnapshot(instance, name string) (*api.InstanceSnapshot, string, error)
	DeleteInstanceSnapshot(instance, name, diskVolumes string) (client.Operation, error)
	ExecInstance(name string, exec api.InstanceExecPost, args *client.InstanceExecArgs) (client.Operation, error)
	GetInstanceFile(instance, path string) (io.ReadCloser, *client.InstanceFileResponse, error)
	DeleteOperation(id string) error
	GetOperations() ([]api.Operation, error)
	GetOperationWait(id string, seconds int) (*api.Operation, string, error)
	GetProfile(name string) (*api.Profile, string, error)
}

// Client is what this package uses of LXD's client.
type Client interface {
	Networks
	Instances
	// InProject returns the client for another project of the same server.
	InProject(name string) Client
}

// connection is LXD's own client as a [Client].
type connection struct{ client.InstanceServer }

func (c connection) InProject(name string) Client { return connection{c.UseProject(name)} }

var _ Client = connection{}

// await returns what call returns, or the context's error as soon as that is
// done: LXD's client takes no context. The call goes on then, unheard. What
// LXD says is put in plain words.
func await[T any](ctx context.Context, call func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	r := result{err: crash.ErrUnknown}
	go crash.Guarded("a call of LXD", func() {
		value, err := call()
		r = result{value, plain(err)}
	}, func() { done <- r })()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
