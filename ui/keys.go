package ui

import "charm.land/bubbles/v2/key"

// keyMap is every key of the program, with its help. What is disabled is
// neither dispatched nor shown.
type keyMap struct {
	Up, Down, PageUp, PageDown, Top, Bottom key.Binding

	Keep, Drop, Toggle, Clear, Undo, Redo                    key.Binding
	KeepAll, DropAll, Range, Widen, Reason, NewRule          key.Binding
	SortBy, Group, Fold, Unfold, FoldAll, CopyName, CopyList key.Binding
	Wider, Narrower, Swap, Again, Messages                   key.Binding
	Filter, Sort, Reverse, HideDrops, Details, Freeze        key.Binding

	Shell, Zoom, ZoomShell, Export, Quit, Help key.Binding

	Leave                                 key.Binding // out of the shell
	ShellUp, ShellDown, Reopen, ShellWipe key.Binding

	Accept, Cancel, Yes, No, Reload     key.Binding
	File, NextFormat, PrevFormat, Merge key.Binding
}

func bind(keys []string, shown, help string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(shown, help))
}

// newKeys returns the keys; leave is the chord that leaves the shell.
func newKeys(leave string) keyMap {
	leaving := []string{leave}
	if leave == "ctrl+]" {
		leaving = append(leaving, "ctrl+5") // what the kitty protocol calls the same key press
	}
	return keyMap{
		Up:       bind([]string{"up", "k"}, "↑/k", "up"),
		Down:     bind([]string{"down", "j"}, "↓/j", "down"),
		PageUp:   bind([]string{"pgup", "ctrl+b"}, "pgup", "page up"),
		PageDown: bind([]string{"pgdown", "ctrl+f"}, "pgdn", "page down"),
		Top:      bind([]string{"home", "g"}, "g", "first row"),
		Bottom:   bind([]string{"end", "G"}, "G", "last row"),

		Keep:   bind([]string{"a", "+"}, "a", "keep"),
		Drop:   bind([]string{"d", "-"}, "d", "drop"),
		Toggle: bind([]string{"space"}, "space", "toggle keep/drop"),
		Clear:  bind([]string{"c", "backspace"}, "c", "clear the mark"),
		Undo:   bind([]string{"u", "ctrl+z"}, "u", "undo"),
		Redo:   bind([]string{"U", "ctrl+r"}, "U", "redo"),

		KeepAll: bind([]string{"A"}, "A", "keep all that is shown"),
		DropAll: bind([]string{"D"}, "D", "drop all that is shown"),
		Range:   bind([]string{"v"}, "v", "mark a range"),
		Widen:   bind([]string{"w"}, "w", "keep all below the domain"),
		Reason:  bind([]string{"n"}, "n", "write a reason"),
		NewRule: bind([]string{"p"}, "p", "a rule for always"),

		SortBy:   bind([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, "1-9", "sort by that column"),
		Group:    bind([]string{"t"}, "t", "group by domain"),
		Fold:     bind([]string{"left"}, "←", "fold the group"),
		Unfold:   bind([]string{"right"}, "→", "unfold it"),
		FoldAll:  bind([]string{"T"}, "T", "fold all, unfold all"),
		CopyName: bind([]string{"y"}, "y", "copy the name"),
		CopyList: bind([]string{"Y"}, "Y", "copy the list"),
		Wider:    bind([]string{">"}, ">", "more room for the table"),
		Narrower: bind([]string{"<"}, "<", "less room for it"),
		Swap:     bind([]string{"x"}, "x", "swap the panes"),
		Again:    bind([]string{"E"}, "E", "export again as before"),
		Messages: bind([]string{"m"}, "m", "messages"),

		Filter:    bind([]string{"/"}, "/", "filter"),
		Sort:      bind([]string{"s"}, "s", "sort by the next column"),
		Reverse:   bind([]string{"r"}, "r", "reverse the order"),
		Details:   bind([]string{"enter"}, "enter", "details"),
		Freeze:    bind([]string{"f"}, "f", "freeze the view"),
		HideDrops: bind([]string{"h"}, "h", "hide what is dropped"),

		Shell:     bind(append([]string{"tab"}, leaving...), "tab", "shell"),
		Zoom:      bind([]string{"z"}, "z", "zoom the table"),
		ZoomShell: bind([]string{"Z"}, "Z", "zoom the shell"),
		Export:    bind([]string{"e"}, "e", "export"),
		Quit:      bind([]string{"q", "ctrl+c"}, "q", "quit"),
		Help:      bind([]string{"?", "f1"}, "?", "help"),

		Leave:     bind(leaving, leave, "leave the shell"),
		ShellUp:   bind([]string{"shift+pgup"}, "shift+pgup", "scroll the shell back"),
		ShellDown: bind([]string{"shift+pgdown"}, "shift+pgdn", "scroll the shell forth"),
		Reopen:    bind([]string{"o"}, "o", "open the shell again"),
		ShellWipe: bind([]string{"R"}, "R", "reset the shell's screen"),

		Accept: bind([]string{"enter"}, "enter", "accept"),
		Cancel: bind([]string{"esc"}, "esc", "cancel"),
		Yes:    bind([]string{"y"}, "y", "yes"),
		No:     bind([]string{"n"}, "n", "no"),
		Reload: bind([]string{"r"}, "r", "again"),

		File:       bind([]string{"f"}, "f", "file name"),
		NextFormat: bind([]string{"right", "l", "tab"}, "←/→", "format"),
		Merge:      bind([]string{"m"}, "m", "merge"),
		PrevFormat: bind([]string{"left", "h", "shift+tab"}, "←", "format"),
	}
}

// section is a heading of the help and the keys below it.
type section struct {
	title string
	keys  []key.Binding
}

func (k keyMap) sections() []section {
	return []section{
		{"Decide", []key.Binding{k.Keep, k.Drop, k.Toggle, k.Clear, k.Undo, k.Redo, k.Range, k.KeepAll, k.DropAll, k.Widen, k.Reason, k.NewRule}},
		{"Look", []key.Binding{k.Filter, k.SortBy, k.Sort, k.Reverse, k.Group, k.Fold, k.Unfold, k.FoldAll, k.HideDrops, k.Freeze, k.Details}},
		{"Move", []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom}},
		{"Panes", []key.Binding{k.Zoom, k.ZoomShell, k.Wider, k.Narrower, k.Swap}},
		{"Shell", []key.Binding{k.Shell, k.Leave, k.ShellUp, k.ShellDown, k.Reopen, k.ShellWipe}},
		{"Program", []key.Binding{k.Export, k.Again, k.CopyName, k.CopyList, k.Messages, k.Help, k.Quit}},
	}
}
