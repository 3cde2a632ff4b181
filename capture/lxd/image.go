package lxd

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/canonical/lxd/shared/api"
)

// Image is one of the server's own, which needs no download to be launched.
type Image struct {
	Name        string // what [Server.Launch] takes: an alias, or a fingerprint's begin
	Description string
	VM          bool // it makes a virtual machine
}

// fingerprintShown is as much of a fingerprint as lxc shows.
const fingerprintShown = 12

// Images returns those of the remote's project, by name.
func (s *Server) Images(ctx context.Context) (images []Image, err error) {
	if s.own == nil {
		return nil, nil
	}
	all, err := await(ctx, s.own.GetImages)
	if err != nil {
		return nil, fmt.Errorf("list LXD's images: %w", err)
	}
	for _, i := range all {
		image := Image{
			Name:        i.Fingerprint[:min(len(i.Fingerprint), fingerprintShown)],
			Description: i.Properties["description"], VM: i.Type == string(api.InstanceTypeVM),
		}
		if len(i.Aliases) > 0 {
			image.Name = i.Aliases[0].Name
		}
		images = append(images, image)
	}
	slices.SortFunc(images, func(a, b Image) int { return cmp.Compare(a.Name, b.Name) })
	return images, nil
}

// Remotes returns the remotes that an image may come from, by name.
func (s *Server) Remotes() []string {
	if s.images == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.images.ByName))
}
