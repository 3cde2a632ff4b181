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
	// Heard says that LXD is heard from now on. What changed before isn't told.
	Heard
	// Away says that LXD isn't heard any more: it was stopped or killed.
	Away
	// Back says that it is heard again. What changed meanwhile isn't told.
	Back
	// Gone says that an instance of that name was deleted or renamed, in the
	// remote's project or in that of the networks.
	Gone
)

// WatchNetwork tells what happens to the network, to LXD and to the instance's
// being there. It goes on through a restart of LXD until the context ends; an
// error is that of an LXD that shows no events.
func (s *Server) WatchNetwork(ctx context.Context, network, instance string, tell func(Event)) error {
	for heard, isAway := false, false; ctx.Err() == nil; {
		listeners, err := s.listen(ctx, network, instance, tell)
		disconnect := func() {
			for _, l := range listeners {
				l.Disconnect()
			}
		}
		if err == nil {
			switch {
			case isAway:
				tell(Event{Kind: Back})
			case !heard:
				tell(Event{Kind: Heard})
			}
			heard, isAway = true, false
			stop := context.AfterFunc(ctx, disconnect)
			_ = listeners[0].Wait() // the connection's end is the news
			stop()
		}
		disconnect()
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

// listen has each event of the network and the instance told. The listeners,
// that of the networks first, are those that there are on an error, too.
func (s *Server) listen(ctx context.Context, network, instance string, tell func(Event)) (listeners []*client.EventListener, err error) {
	from := []Networks{s.networks()}
	if s.project != defaultProject { // LXD tells of one project at a time
		from = append(from, s.client)
	}
	for _, c := range from {
		listener, err := await(ctx, c.GetEvents)
		if err != nil {
			return listeners, err
		}
		listeners = append(listeners, listener)
		_, err = listener.AddHandler([]string{api.EventTypeLifecycle}, func(e api.Event) {
			var event api.EventLifecycle
			if json.Unmarshal(e.Metadata, &event) != nil {
				return
			}
			kind, concerns := kindOf(event, network, instance)
			if !concerns {
				return
			}
			by := ""
			if r := event.Requestor; r != nil {
				by = cmp.Or(r.Username, r.Protocol)
			}
			tell(Event{Kind: kind, By: by})
		})
		if err != nil {
			return listeners, err
		}
	}
	return listeners, nil
}

// kindOf returns what an event tells of the network or the instance, if it does.
// Its source is "/1.0/networks/NAME?project=P", or instances in place of networks;
// one that tells of a new name has the old one in its context.
func kindOf(e api.EventLifecycle, network, instance string) (kind EventKind, concerns bool) {
	path, _, _ := strings.Cut(e.Source, "?")
	switch {
	case strings.HasPrefix(e.Action, "network-") && strings.HasSuffix(path, "/networks/"+network):
		return Changed, true
	case e.Action == api.EventLifecycleInstanceDeleted && strings.HasSuffix(path, "/instances/"+instance),
		e.Action == api.EventLifecycleInstanceRenamed && e.Context["old_name"] == instance:
		return Gone, true
	}
	return 0, false
}
