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

// Event is what [Server.WatchNetwork] tells.
type Event struct {
	Kind EventKind
	By   string // who changed the network, where LXD knows
}

// EventKind is what happened.
type EventKind int

// What may happen.
const (
	// Changed says that the network was updated or deleted.
	Changed EventKind = iota
	// Away says that LXD isn't heard any more: it was stopped or killed.
	Away
	// Back says that it is heard again. What changed meanwhile isn't told.
	Back
)

// WatchNetwork tells what happens to the network and to LXD. It goes on
// through a restart of LXD until the context ends; an error is that of an LXD
// that shows no events.
func (s *Server) WatchNetwork(ctx context.Context, network string, tell func(Event)) error {
	for isAway := false; ctx.Err() == nil; {
		listener, err := s.listen(ctx, network, tell)
		if err == nil {
			if isAway {
				tell(Event{Kind: Back})
			}
			isAway = false
			stop := context.AfterFunc(ctx, listener.Disconnect)
			_ = listener.Wait() // the connection's end is the news
			stop()
		}
		if (err == nil || IsAway(err)) && !isAway && ctx.Err() == nil {
			isAway = true
			tell(Event{Kind: Away})
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

// listen has each event of the network told.
func (s *Server) listen(ctx context.Context, network string, tell func(Event)) (*client.EventListener, error) {
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
		tell(Event{Kind: Changed, By: by})
	})
	return listener, err
}

// concerns reports whether an event, of the source
// "/1.0/networks/NAME?project=P", tells of a change of the network.
func concerns(e api.EventLifecycle, network string) bool {
	path, _, _ := strings.Cut(e.Source, "?")
	return strings.HasPrefix(e.Action, "network-") && strings.HasSuffix(path, "/networks/"+network)
}
