package capture

// Settle says that what is done again by [Ledger.Redecide] stands as it was made
// then: Undo and Redo are for what is decided here, see [Ledger.Own].
func (l *Ledger) Settle() {
	defer l.hold()()
	l.settled = true
}

// Own returns the changes in force that were decided here and not done again, in
// their order, but for rules that were added to the user's file.
func (l *Ledger) Own() (own []Change) {
	defer l.hold()()
	for _, c := range l.done {
		if !c.again && c.rule == nil {
			own = append(own, l.told(c, 0))
		}
	}
	return own
}

// takesBack reports whether the last of some changes is for Undo, or Redo.
func (l *Ledger) takesBack(of []change) bool {
	n := len(of)
	return n > 0 && !(l.settled && of[n-1].again)
}
