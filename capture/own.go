package capture

// Settle says that what is done again by [Ledger.Redecide] stands as it was made
// then: Undo and Redo are for what is decided here, see [Ledger.Own].
func (l *Ledger) Settle() {
	defer l.hold()()
	l.settled = true
}

// Own returns the changes that were decided here and not done again, but for
// rules that were added to the user's file: those in force, in their order, and
// those that were undone, of which the last is the next to be redone.
func (l *Ledger) Own() (done, undone []Change) {
	defer l.hold()()
	own := func(of []change) (all []Change) {
		for _, c := range of {
			if !c.again && c.rule == nil {
				all = append(all, l.told(c, 0))
			}
		}
		return all
	}
	return own(l.done), own(l.undone)
}

// takesBack reports whether the last of some changes is for Undo, or Redo.
func (l *Ledger) takesBack(of []change) bool {
	n := len(of)
	return n > 0 && !(l.settled && of[n-1].again)
}
