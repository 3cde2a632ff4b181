package lxd

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
)

// StatusDeleted is what [Server.WatchInstance] reports last of an instance
// that is deleted.
const StatusDeleted = "Deleted"

// WatchInstance reports an instance's status, now and on each change, until
// it is deleted or the context ends. It goes on through a restart of LXD.
func (s *Server) WatchInstance(ctx context.Context, name string, report func(status string)) error {
	last := ""
	for ctx.Err() == nil {
		changed := make(chan struct{}, 1)
		listener, err := s.listen(ctx, name, changed)
		if err == nil {
			err = s.watch(ctx, name, listener, changed, &last, report)
			listener.Disconnect()
		}
		if last == StatusDeleted {
			return nil
		}
		if refused(err) {
			return err
		}
		if pause(ctx, longestPause) != nil {
			break
		}
	}
	return context.Cause(ctx)
}

// refused reports whether LXD answers but won't do it, so that trying again
// is no use.
func refused(err error) bool {
	return api.StatusErrorCheck(err, http.StatusForbidden, http.StatusUnauthorized, http.StatusBadRequest)
}

// listen has changed filled on each event of the instance.
func (s *Server) listen(ctx context.Context, name string, changed chan<- struct{}) (*client.EventListener, error) {
	listener, err := await(ctx, s.client.GetEvents)
	if err != nil {
		return nil, err
	}
	_, err = listener.AddHandler([]string{api.EventTypeLifecycle}, func(e api.Event) {
		var event api.EventLifecycle
		if json.Unmarshal(e.Metadata, &event) != nil || !concerns(event.Source, name) {
			return
		}
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	return listener, err
}

// concerns reports whether an event's source, "/1.0/instances/NAME?project=P",
// is the instance or a part of it.
func concerns(source, name string) bool {
	path, _, _ := strings.Cut(source, "?")
	return strings.Contains(path+"/", "/instances/"+name+"/")
}

// watch reports until the listener or the instance is gone.
func (s *Server) watch(ctx context.Context, name string, listener *client.EventListener, changed <-chan struct{}, last *string, report func(string)) error {
	ended := make(chan struct{})
	go func() {
		_ = listener.Wait()
		close(ended)
	}()
	for {
		status, err := s.status(ctx, name)
		if err != nil {
			return err
		}
		if status != *last {
			*last = status
			report(status)
		}
		if status == StatusDeleted {
			return nil
		}
		select {
		case <-changed:
		case <-ended:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

func (s *Server) status(ctx context.Context, name string) (string, error) {
	i, err := s.instance(ctx, name)
	if api.StatusErrorCheck(err, http.StatusNotFound) {
		return StatusDeleted, nil
	}
	if err != nil {
		return "", err
	}
	return i.Status, nil
}
