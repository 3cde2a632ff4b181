package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"lxd-allowlist/ui/dialog"
	"lxd-allowlist/ui/look"
)

// openPalette lists what can be done at the start.
func (p *picker) openPalette() tea.Cmd {
	p.dialog = dialog.NewPalette(p.keys, nil, "")
	p.fillPalette()
	return nil
}

// fillPalette has the palette, if it is open, list what there is now.
func (p *picker) fillPalette() {
	d, open := p.dialog.(*dialog.Palette)
	if !open {
		return
	}
	var items []dialog.Item
	for _, l := range p.tables.picker.Lines(p.keys, p) {
		items = append(items, dialog.Item{Section: l.Section, Does: l.Does, Key: l.Key, Why: l.Why, To: pickedAction(l.Name)})
	}
	for _, r := range p.matching("") {
		items = append(items, p.item(&r))
	}
	for _, l := range []struct {
		section string
		err     error
	}{{"Instance", p.instances.err}, {"Session", p.sessionsErr}, {"Image", p.images.err}} {
		if l.err != nil {
			items = append(items, dialog.Item{Section: l.section, Does: "none", Why: l.err.Error()})
		}
	}
	note := ""
	if p.loading || p.instances.loading || p.images.loading {
		note = "looking for instances, sessions and images…"
	}
	items = append(items, p.settingItems()...)
	for _, words := range pickerMouseHelp {
		items = append(items, dialog.Item{Section: "Mouse", Does: words[1], Key: words[0]})
	}
	d.Set(items, note)
}

// item is a row as the palette has it.
func (p *picker) item(r *pickerRow) dialog.Item {
	i := dialog.Item{Why: r.shut(), To: r.choice}
	switch c := r.choice; {
	case r.kind == ofImages:
		i.Section, i.Does = "Image", "launch one of "+c.Image
	case r.kind == ofInstances && c.Stopped:
		i.Section, i.Does, i.Key = "Instance", "start and watch "+c.Instance, strings.ToLower(c.Status)
	case r.kind == ofInstances:
		i.Section, i.Does, i.Key = "Instance", "watch "+c.Instance, strings.ToLower(c.Status)
	default:
		i.Section, i.Does, i.Key = "Session", "look at "+c.Session, look.Ago(p.now.Sub(r.entry.Modified))
		if c.Instance != "" {
			i.Does = "go on with " + c.Session
		}
	}
	return i
}

// do does what a dialog wants done.
func (p *picker) do(r dialog.Result) tea.Cmd {
	p.said = ""
	switch r := r.(type) {
	case dialog.Close:
		p.dialog = nil
	case dialog.Say:
		p.said = r.Text
	case dialog.Picked:
		return p.picked(r.To)
	case dialog.Chosen:
		p.dialog = nil
		if to, ok := r.To.(settingFor); ok {
			return p.chooseSetting(to, r.At)
		}
	case dialog.Answer:
		if to, ok := r.To.(settingFor); ok {
			return p.setSettingTo(p.dialog, to, r.Text)
		}
	}
	return nil
}

// picked does what was picked of the palette.
func (p *picker) picked(to any) tea.Cmd {
	p.dialog = nil
	switch to := to.(type) {
	case pickedAction:
		return p.run(string(to))
	case pickedSetting:
		p.dialog = p.askSetting(string(to))
	case Choice:
		return p.enter(newOpening(p.model, to))
	}
	return nil
}

// set takes up a setting that was set: nothing has begun yet.
func (p *picker) set(msg settingSetMsg) { p.said = p.settingSet(msg, &p.dialog) }
