package lxd

import (
	"fmt"
	"slices"
	"testing"
)

// What LXD tells of an image comes in no order, and goes on of a step that is
// over: each step is told in its turn, and never goes back.
func TestImageProgress(t *testing.T) {
	download, unpack := "download_progress", "create_instance_from_image_unpack_progress"
	far := imageProgress{step: -1}
	var got []string
	for _, told := range []map[string]any{
		{"other": "x", download: "rootfs: 5% (33MB/s)"},
		{download: "rootfs: 7% (33MB/s)"},
		{download: "rootfs: 6% (33MB/s)"},
		{download: "rootfs: 100% (33MB/s)", unpack: "Unpacking image: 33MB/s"},
		{download: "rootfs: 99% (33MB/s)"},
		{unpack: "Unpacking image: 35MB/s"},
		{download: "rootfs: 100% (33MB/s)", unpack: "Unpacking image: 40%"},
	} {
		far.report(told, func(doing string, done float64) { got = append(got, fmt.Sprint(doing, " ", done)) })
	}
	want := []string{"downloading the image 0.05", "downloading the image 0.07", "unpacking the image -1", "unpacking the image 0.4"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
