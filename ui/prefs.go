package ui

import (
	"encoding/json"
	"os"
	"path/filepath"

	"lxd-allowlist/capture/session"
	"lxd-allowlist/export"
	"lxd-allowlist/export/owner"
)

// prefs are the choices about the screen that are remembered from one run to
// the next.
type prefs struct {
	Share     int     `json:"share"` // of the screen for the table, in per cent
	Swapped   bool    `json:"swapped"`
	Grouped   bool    `json:"grouped"`
	HideDrops bool    `json:"hide-drops"`
	Filters   filters `json:"filters"`
	Hinted    int     `json:"hinted"`   // how often a newcomer was shown what keys do
	Undocked  bool    `json:"undocked"` // no details beside the table
}

// Bounds of the table's share: both panes stay of use.
const (
	leastShare   = 20
	mostShare    = 80
	defaultShare = 54
)

func (p *prefs) share(more int) { p.Share = max(leastShare, min(p.Share+more, mostShare)) }

// loadPrefs returns what was remembered. A file that can't be read is as good
// as none: nothing of worth is lost with it.
func loadPrefs() prefs {
	p := prefs{Share: defaultShare}
	if path, err := session.ScreenPath(); err == nil {
		if data, err := os.ReadFile(path); err == nil && json.Unmarshal(data, &p) != nil {
			p = prefs{Share: defaultShare}
		}
	}
	p.share(0)
	return p
}

func (p prefs) save() error {
	path, err := session.ScreenPath()
	if err != nil {
		return err
	}
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := owner.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	return export.WritePrivate(path, append(data, '\n'))
}
