package lxd

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
)

// WatchNetwork calls changed each time that somebody, who is named where LXD
// knows, updated or deleted the network, and each time that LXD's events are
// heard again after a gap, with nobody named. It goes on through a restart of
// LXD until the context ends; an error is that of an LXD that shows no events.
func (s *Server) WatchNetwork(ctx context.Context, network string, changed func(by string)) error {
	for heard := false; ctx.Err() == nil; heard = true {
		listener, err := s.listen(ctx, network, changed)
		if err == nil {
			if heard {
				changed("")
			}
			defer context.AfterFunc(ctx, listener.Disconnect)()
			_ = listener.Wait()
		}
		if api.StatusErrorCheck(err, http.StatusForbidden, http.StatusUnauthorized, http.StatusBadRequest) {
			return err // to ask again is no use
		}
		if pause(ctx, longestPause) != nil {
			break
		}
	}
	return context.Cause(ctx)
}

// listen has changed called on each event of the network.
func (s *Server) listen(ctx context.Context, network string, changed func(string)) (*client.EventListener, error) {
	listener, err := await(ctx, s.networks().GetEvents)
	if err != nil {
		return nil, err
	}
	_, err = listener.AddHandler([]string{api.EventTypeLifecycle}, func(e api.Event) {
		var event api.EventLifecycle
		if json.Unmarshal(e.Metadata, &event) != nil || !concerns(event, network) {
			return
		}
		by := ""
		if r := event.Requestor; r != nil {
			by = cmp.Or(r.Username, r.Protocol)
		}
		changed(by)
	})
	return listener, err
}

// concerns reports whether an event, of the source
// "/1.0/networks/NAME?project=P", tells of a change of the network.
func concerns(e api.EventLifecycle, network string) bool {
	path, _, _ := strings.Cut(e.Source, "?")
	return strings.HasPrefix(e.Action, "network-") && strings.HasSuffix(path, "/networks/"+network)
}
