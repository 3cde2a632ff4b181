package lxd

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/crash"
)

// launchPrefix begins the names of instances that [Server.Launch] makes.
const launchPrefix = "allowlist-"

// cleanupPatience bounds what is waited for after a launch was cancelled: an
// image that is being unpacked can't be stopped.
const cleanupPatience = 30 * time.Second

// Launch makes and starts an ephemeral instance with a name of its own on the
// network, or on what the default profile has where that is "". image is
// "REMOTE:ALIAS" of lxc's remotes, or an alias or fingerprint of the server
// itself. progress is told what is being done and how much of it is: from 0
// to 1, below 0 where that isn't known; it is called within Launch alone. On an
// error nothing is left behind.
func (s *Server) Launch(ctx context.Context, image, network string, progress func(text string, done float64)) (name string, err error) {
	source, found, alias, err := s.findImage(ctx, image)
	if err != nil {
		return "", err
	}
	devices, err := s.launchDevices(ctx, network)
	if err != nil {
		return "", err
	}
	name = launchPrefix + strings.ToLower(rand.Text()[:6])
	request := api.InstancesPost{
		Name:        name,
		Type:        api.InstanceTypeContainer,
		InstancePut: api.InstancePut{Ephemeral: true, Devices: devices, Config: launchedKeys()},
		Source:      api.InstanceSource{Type: api.SourceTypeImage, Alias: alias},
	}
	if found.Type == string(api.InstanceTypeVM) {
		request.Type = api.InstanceTypeVM
	}
	progress("creating "+name+" from "+image, -1)
	err = s.create(ctx, source, *found, request, progress)
	if err == nil {
		progress("starting "+name, -1)
		err = s.setState(ctx, name, "start")
	}
	if err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupPatience)
		defer cancel()
		return "", errors.Join(fmt.Errorf("launch %s: %w", image, s.outOfReach(image, err)), s.settled(cleanup, name), s.Remove(cleanup, name))
	}
	return name, nil
}

// outOfReach says so of the server of an image where LXD's host could not reach
// it: what LXD says of that is a chain of its own steps.
func (s *Server) outOfReach(image string, err error) error {
	remote, _ := SplitTarget(image)
	address := s.images.ByName[remote].Address
	text := strings.TrimRight(err.Error(), "])")
	if address == "" || !strings.Contains(text, address) {
		return err
	}
	why := text
	if i := strings.LastIndex(text, ": "); i >= 0 {
		why = text[i+len(": "):]
	}
	return said{err, fmt.Sprintf("LXD's host has no answer from %s (%s); images that it has already can be launched: lxc image list local:", address, why)}
}

// findImage returns where the image is and what is known of it. A simplestreams
// server's images are looked up by LXD itself, by the alias.
func (s *Server) findImage(ctx context.Context, image string) (source client.ImageServer, found *api.Image, alias string, err error) {
	remote, name := SplitTarget(image)
	source = s.own
	if remote != "" && remote != s.name {
		if _, err := s.images.named(remote); err != nil {
			return nil, nil, "", fmt.Errorf("find image %s: %w", image, err)
		}
		if source, err = await(ctx, func() (client.ImageServer, error) { return s.images.images(remote) }); err != nil {
			return nil, nil, "", fmt.Errorf("find image %s: %w: see lxc remote list", image, err)
		}
		if s.images.ByName[remote].Protocol == simpleStreams {
			return source, &api.Image{Fingerprint: name, Public: true}, name, nil
		}
	}
	found, err = await(ctx, func() (*api.Image, error) {
		if target, _, err := source.GetImageAlias(name); err == nil {
			name = target.Target
		}
		found, _, err := source.GetImage(name)
		return found, err
	})
	if err != nil {
		return nil, nil, "", fmt.Errorf("find image %s: %w: see lxc image list %s", image, err, strings.TrimSuffix(image, name))
	}
	return source, found, "", nil
}

// launchDevices returns what must be laid over the default profile so that
// the instance is on the network.
func (s *Server) launchDevices(ctx context.Context, network string) (map[string]map[string]string, error) {
	profile, err := await(ctx, func() (*api.Profile, error) {
		profile, _, err := s.client.GetProfile("default")
		return profile, err
	})
	if err != nil {
		return nil, fmt.Errorf("look up LXD's default profile: %w", err)
	}
	over := ""
	for _, name := range slices.Sorted(maps.Keys(profile.Devices)) {
		device := profile.Devices[name]
		if device["type"] != "nic" {
			continue
		}
		if on := cmp.Or(device["network"], device["parent"]); network == "" || on == network {
			return nil, nil
		}
		over = cmp.Or(over, name)
	}
	if network == "" {
		return nil, errors.New("launch an instance: LXD's default profile has no network device: name the network")
	}
	return map[string]map[string]string{cmp.Or(over, "eth0"): {"type": "nic", "name": "eth0", "network": network}}, nil
}

// create waits for the instance to be made from its image.
func (s *Server) create(ctx context.Context, source client.ImageServer, image api.Image, request api.InstancesPost, progress func(string, float64)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// Not left to itself when the context ends: what it makes must be removed.
	op, err := s.client.CreateInstanceFromImage(source, image, request)
	if err != nil {
		return plain(err)
	}
	// LXD's client calls each handler in a goroutine of its own.
	news := make(chan map[string]any, 1)
	_, _ = op.AddHandler(func(o api.Operation) { // without it there is no progress to see
		select {
		case news <- o.Metadata:
		default:
		}
	})
	done := make(chan error, 1)
	ended := crash.ErrUnknown
	go crash.Guarded("an operation of LXD's", func() { ended = plain(op.Wait()) }, func() { done <- ended })()
	far := imageProgress{step: -1}
	for ctx.Err() == nil {
		select {
		case err := <-done:
			return err
		case metadata := <-news:
			far.report(metadata, progress)
		case <-ctx.Done():
		}
	}
	// LXD refuses to cancel some of its work, which is waited for then so
	// that what it made can be removed.
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupPatience)
	defer cancel()
	s.cancelWork(cleanup, request.Name)
	select {
	case <-done:
	case <-cleanup.Done():
	}
	return context.Cause(ctx)
}

// cancelWork asks LXD to give up what it does to an instance. Its client's own
// Cancel reads the operation while news of it are written there.
func (s *Server) cancelWork(ctx context.Context, instance string) {
	all, _ := await(ctx, s.client.GetOperations)
	for _, o := range all {
		if slices.Contains(worksOn(o), instance) {
			_, _ = await(ctx, func() (struct{}, error) { return struct{}{}, s.client.DeleteOperation(o.ID) })
		}
	}
}

// imageSteps are the ways of an image into an instance, in their order, by the
// end of the key under which LXD tells how far each is: "rootfs: 65% (33MB/s)".
var imageSteps = []struct{ key, doing string }{
	{"download_progress", "downloading the image"},
	{"unpack_progress", "unpacking the image"},
}

// imageProgress is how far an image is on its way.
type imageProgress struct {
	step int // of imageSteps, -1 before the first
	done float64
}

// report tells of what is in an operation's metadata, if that is news: LXD
// goes on telling of a step that is over, and its client hands on what it tells
// in no order. How far a step is may stay unknown, which is told once.
func (p *imageProgress) report(metadata map[string]any, progress func(string, float64)) {
	for at, step := range slices.Backward(imageSteps) {
		text := told(metadata, step.key)
		if text == "" || at < p.step {
			continue
		}
		done := fraction(text)
		if at > p.step {
			*p = imageProgress{at, done}
			progress(step.doing, done)
		} else if done > p.done {
			p.done = done
			progress(step.doing, done)
		}
		return
	}
}

// told returns the text under a key that ends so, "" for none.
func told(metadata map[string]any, end string) string {
	for key, value := range metadata {
		if text, ok := value.(string); ok && strings.HasSuffix(key, end) {
			return text
		}
	}
	return ""
}

// fraction returns the percentage in a text, -1 where there is none.
func fraction(text string) float64 {
	before, _, found := strings.Cut(text, "%")
	if !found {
		return -1
	}
	percent, err := strconv.ParseFloat(before[strings.LastIndexAny(before, " :")+1:], 64)
	if err != nil {
		return -1
	}
	return percent / 100
}
