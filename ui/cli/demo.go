package cli

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/ui"
)

// sample is the journal of a session that is made up: a server is set up in an
// instance. TestSample writes it.
//
//go:embed sample.jsonl
var sample []byte

// demo has the sample session happen again, and lets the user decide.
func (o *options) demo(ctx context.Context) error {
	if err := o.checkSpeed(); err != nil {
		return err
	}
	o.plan.Formats = []string{"plain"}
	s, err := o.screen("", "the demo needs a terminal")
	if err != nil {
		return err
	}
	player, err := session.PlayFrom("sample", bytes.NewReader(sample))
	if err != nil {
		return err
	}
	s.Capture = &ui.Capture{Player: player, Speed: o.speed, Title: "sample: " + player.Title(), Live: true}
	s.Trial = true
	result, err := ui.Run(ctx, s)
	sayWrote(result)
	fmt.Fprintln(os.Stderr, "that was a sample; lxd-allowlist alone lists your own instances")
	return o.goOn(ctx, "", result, err)
}
