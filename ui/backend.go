package ui

import (
	"context"
	"io"
	"time"

	"lxd-allowlist/capture"
	"lxd-allowlist/capture/session"
	"lxd-allowlist/capture/verify"
	"lxd-allowlist/ui/dialog"
)

// Backend is what the screen wants of LXD. Its methods are called in commands
// of their own and may take their time.
type Backend interface {
	// Choices lists the instances, and Images what can be launched without a
	// download, for the picker.
	Choices(ctx context.Context) ([]Choice, error)
	Images(ctx context.Context) ([]Choice, error)
	// Open begins the capture on what was chosen. report tells what is being
	// done and how far it is: from 0 to 1, below 0 where that is not known.
	Open(ctx context.Context, c Choice, report func(doing string, done float64)) (*Capture, error)
}

// Choice is what can be opened: an instance, one that is made of an image, or
// a session.
type Choice struct {
	Server   string // the remote that the instance is on
	Instance string
	Status   string // LXD's word: "Running", "Stopped"
	Network  string // the bridge that would be watched
	Address  string // there
	Started  time.Time
	Stopped  bool   // it can be chosen and is started then
	Problem  string // why it can't be chosen; "" if it can
	Use      string // who is at work on it or its network

	// Image is to be launched, in place of an instance. About is what it says
	// of itself.
	Image, About string
	// Session is to be gone on with; without an instance it is only read and
	// pruned, for which no LXD is needed.
	Session string
}

// name is what is opened, for people.
func (c Choice) name() string {
	switch {
	case c.Image != "":
		return "an instance of " + c.Image
	case c.Session != "" && c.Instance == "":
		return "session " + c.Session
	case c.Session != "":
		return c.Instance + ", going on with " + c.Session
	}
	return c.Instance
}

// Capture is a running capture, or a log or session that is only read.
type Capture struct {
	Ledger *capture.Ledger
	// Title names what is captured: "dnstest on lxdbr0", a file's name.
	Title string
	// Live says that queries may still come in.
	Live bool
	// Shell opens a shell of that size; nil where there is none to open.
	Shell func(ctx context.Context, width, height int) (Shell, error)
	// Progress returns how much of what there is was read, from 0 to 1; nil
	// where all of it is.
	Progress func() float64
	// Notices are sentences for the user; nil where nobody writes any.
	Notices <-chan string
	// Logging returns why queries are not logged and since when, "" while they
	// are, and Repair has them logged again; nil where that is not at stake.
	Logging func() (problem string, since time.Time)
	Repair  func(ctx context.Context) error
	// Enforce puts the list, as it would be exported, in force on the instance. It
	// is nil where there is nobody to enforce it on.
	Enforce func(ctx context.Context, level verify.Level) (*Enforcement, error)
	// Told returns what LXD was told so far; nil where there is none to tell.
	Told func() []dialog.Told
	// ReadOnly says why nothing can be decided, "" where it can.
	ReadOnly string
	// Player has a session happen again, Speed times as fast as it was; nil
	// where nothing is replayed. The ledger is the player's.
	Player *session.Player
	Speed  int
	// Unheard finds out why no query was heard; nil where nobody can tell.
	Unheard func(ctx context.Context) string
}

// Enforcement is a list that is in force, or that is only held against what is
// asked for. What is decided meanwhile counts at once; a new name is refused, or
// would be, until somebody keeps it.
type Enforcement struct {
	// Policy and Packets say what came of it; grants for a time go to Policy.
	Policy  *verify.Policy
	Packets *verify.Packets
	// Wake tells, by one value however many, that something happened.
	Wake <-chan struct{}
	// Done is closed when the list is out of force.
	Done <-chan struct{}
	// Fallen is closed when somebody took the list out of force behind our back.
	Fallen <-chan struct{}
	// Prove tries from inside the instance what the list refuses, and returns
	// whether that was refused; it takes its time.
	Prove func(ctx context.Context) bool
	// Report returns what came of it so far.
	Report func() verify.Report
	// Stop proves it once more and takes the list out of force.
	Stop func(ctx context.Context) error
}

// problem says why queries are not logged, and since when; "" if they are.
func (c *Capture) problem() (string, time.Time) {
	if c.Logging == nil {
		return "", time.Time{}
	}
	return c.Logging()
}

// Shell is a terminal in the instance.
type Shell interface {
	io.ReadWriteCloser
	Resize(width, height int) error
	// Wait returns when the shell has ended, with its exit code or with why
	// that isn't known.
	Wait() (code int, err error)
}

// Question is an error of [Backend.Open] that the user can decide on.
type Question interface {
	error
	// Question is what is asked: one sentence with a question mark.
	Question() string
	// Answer does what was agreed to; Open is tried again then.
	Answer(ctx context.Context) error
}

// Alternative is a question to which no leads on, too.
type Alternative interface {
	Question
	// Refuse takes no for an answer; Open is tried again then.
	Refuse()
}
