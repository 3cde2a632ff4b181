package lxd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	client "github.com/canonical/lxd/client"
	"github.com/canonical/lxd/shared/api"
	"github.com/gorilla/websocket"

	"lxd-allowlist/capture/crash"
)

// notFoundCode is the exit code of a command that isn't there.
const notFoundCode = 127

// notRunnableCode is that of one that is there and can't be run.
const notRunnableCode = 126

// The exit codes of commands that were killed or lost their terminal, which is
// how those in an instance that stops end.
const (
	killedCode = 128 + int(syscall.SIGKILL)
	hungUpCode = 128 + int(syscall.SIGHUP)
)

// stopPatience is how long LXD may go on showing an instance as running after
// its processes were killed.
const stopPatience = 2 * time.Second

var errUnknownEnd = errors.New("LXD doesn't say how the command ended")

// signalPatience is how long a command may take to end after a signal before
// the next, harder one.
const signalPatience = 3 * time.Second

// Command is what [Server.Run] runs.
type Command struct {
	Args   []string
	User   string // whose login environment it runs in; "" is root without one
	Env    map[string]string
	Stdin  io.Reader // nil is empty
	Stdout io.Writer // nil discards
	Stderr io.Writer
}

// Run runs a command in an instance and returns its exit code, -1 where that
// isn't known; 127 may also mean that there is no such command. When the
// context ends, the command is interrupted, then terminated, then killed.
func (s *Server) Run(ctx context.Context, instance string, c Command) (code int, err error) {
	if len(c.Args) == 0 {
		return -1, errors.New("run nothing: name a command")
	}
	request := api.InstanceExecPost{Command: c.Args, Environment: c.Env}
	if c.User != "" {
		request.Command = []string{"su", "-l", "-c", "exec " + quote(environ(c)), "--", c.User}
		request.Environment = nil // a login shell clears it
	}
	p, err := s.exec(ctx, instance, request, c.Stdin, c.Stdout, c.Stderr)
	if err != nil {
		return codeOf(err), fmt.Errorf("run %s in %s: %w", c.Args[0], instance, err)
	}
	code, err = p.waitOrStop(ctx)
	if err != nil {
		err = fmt.Errorf("run %s in %s: %w", c.Args[0], instance, err)
	}
	return code, err
}

// RunsAs says why nothing can be run as that user in the instance, nil if it
// can; "" is whoever runs commands there.
func (s *Server) RunsAs(ctx context.Context, instance, user string) error {
	if user == "" {
		return nil
	}
	var out, errout strings.Builder // each is written by a goroutine of its own
	code, err := s.Run(ctx, instance, Command{Args: []string{"true"}, User: user, Stdout: &out, Stderr: &errout})
	if err == nil && code != 0 {
		said := strings.Join(strings.Fields(errout.String()+" "+out.String()), " ")
		err = fmt.Errorf("run commands as %s in %s: %s", user, instance, cmp.Or(said, fmt.Sprint("su ended with ", code)))
	}
	return err
}

// canRun ends with 3 where there is no such command as its first argument is,
// and with 4 where that is a file which can't be run.
const canRun = `case $1 in
*/*) [ -e "$1" ] || exit 3; [ -f "$1" ] && [ -x "$1" ] || exit 4;;
*) command -v "$1" >/dev/null || exit 3;;
esac`

// Unrunnable says why a command could not be run in the instance that ended
// with that code; "" where it ran, or where that isn't known. A shell that is
// the command ends with the same codes for what it runs itself.
func (s *Server) Unrunnable(ctx context.Context, instance string, c Command, code int) string {
	if code != notFoundCode && code != notRunnableCode {
		return ""
	}
	code, err := s.Run(ctx, instance, Command{Args: []string{"sh", "-c", canRun, "sh", c.Args[0]}, User: c.User})
	switch {
	case err == nil && code == 3:
		return fmt.Sprintf("there is no %s in %s", c.Args[0], instance)
	case err == nil && code == 4:
		return fmt.Sprintf("%s in %s is no file that can be run", c.Args[0], instance)
	}
	return ""
}

// environ returns the command's arguments, led by env where it has an
// environment.
func environ(c Command) []string {
	if len(c.Env) == 0 {
		return c.Args
	}
	args := []string{"env"}
	for _, name := range slices.Sorted(maps.Keys(c.Env)) {
		args = append(args, name+"="+c.Env[name])
	}
	return append(args, c.Args...)
}

// quote joins arguments to a line that a shell splits into the same.
func quote(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}

// process is a command that runs in an instance.
type process struct {
	server   *Server
	instance string
	ended    chan struct{} // closed when code and err are set
	code     int
	err      error

	mu      sync.Mutex // the control websocket has one writer at a time
	control *websocket.Conn
}

// exec begins a command and returns when its control connection stands.
func (s *Server) exec(ctx context.Context, instance string, request api.InstanceExecPost, stdin io.Reader, stdout, stderr io.Writer) (*process, error) {
	request.WaitForWS = true
	control, unwanted := make(chan *websocket.Conn), make(chan struct{})
	drained := make(chan bool)
	// What LXD has begun already is to be ended by signals, not forgotten.
	patient, stop := later(ctx, signalPatience)
	defer stop()
	op, err := await(patient, func() (client.Operation, error) {
		return s.client.ExecInstance(instance, request, &client.InstanceExecArgs{
			Stdin: stdin, Stdout: stdout, Stderr: stderr, DataDone: drained,
			Control: func(conn *websocket.Conn) {
				select {
				case control <- conn:
				case <-unwanted:
					_ = conn.Close()
				}
			},
		})
	})
	if err != nil {
		close(unwanted) // it may begin yet
		return nil, err
	}
	p := &process{server: s, instance: instance, ended: make(chan struct{}), control: <-control, code: -1, err: crash.ErrUnknown}
	go crash.Guarded("a command in the instance", func() { p.watch(op, drained) }, func() { close(p.ended) })()
	return p, nil
}

// later returns a context that ends some time after ctx, for the same cause.
func later(ctx context.Context, d time.Duration) (_ context.Context, stop func()) {
	patient, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	forget := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-patient.Done():
		}
	})
	return patient, func() {
		forget()
		cancel(nil)
	}
}

// watch waits for the command's end and sets how it ended.
func (p *process) watch(op client.Operation, drained <-chan bool) {
	err := plain(op.Wait())
	code, known := op.Get().Metadata["return"].(float64)
	waitDrained(drained, known)
	p.code, p.err = int(code), nil
	switch {
	case !known:
		p.code = -1
		p.err = fmt.Errorf("%w; the command may still run in the instance", cmp.Or(err, errUnknownEnd))
	case p.code == notFoundCode, p.code == notRunnableCode:
		// LXD calls both an error, whether the command isn't there or ended so
		// by itself.
	case err != nil:
		p.err = err
	case p.code == killedCode, p.code == hungUpCode:
		p.err = p.stoppedInstance()
	}
	_ = p.control.Close()
}

// waitDrained waits for the last of what the command printed: where LXD didn't
// say how that ended, since the connection may have broken, not for good.
func waitDrained(drained <-chan bool, known bool) {
	var enough <-chan time.Time
	if !known {
		enough = time.After(signalPatience)
	}
	select {
	case <-drained:
	case <-enough:
	}
}

// stoppedInstance says so if the instance is gone, which LXD shows as a killed
// command.
func (p *process) stoppedInstance() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	for {
		i, err := p.server.instance(ctx, p.instance)
		switch {
		case IsGone(err):
			return errors.New("the instance was deleted")
		case err == nil && i.StatusCode != api.Running && i.StatusCode != api.Ready:
			return errors.New("the instance was stopped")
		case pause(ctx, retryPause) != nil:
			return nil
		}
	}
}

// codeOf returns the exit code that an error in beginning a command amounts
// to.
func codeOf(err error) int {
	if strings.Contains(err.Error(), "Command not found") {
		return notFoundCode
	}
	return -1
}

// wait returns how the command ended.
func (p *process) wait() (int, error) {
	<-p.ended
	return p.code, p.err
}

// waitOrStop is wait that ends the command when the context ends.
func (p *process) waitOrStop(ctx context.Context) (int, error) {
	select {
	case <-p.ended:
		return p.wait()
	case <-ctx.Done():
	}
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		_ = p.send(api.InstanceExecControl{Command: "signal", Signal: int(signal)})
		patience := time.NewTimer(signalPatience)
		select {
		case <-p.ended:
			patience.Stop()
			return p.code, context.Cause(ctx)
		case <-patience.C:
		}
	}
	_ = p.end()
	patience := time.NewTimer(signalPatience)
	defer patience.Stop()
	select {
	case <-p.ended:
		return p.code, context.Cause(ctx)
	case <-patience.C:
		return -1, fmt.Errorf("%w; the command may still run in the instance", context.Cause(ctx))
	}
}

// send writes to the control connection.
func (p *process) send(message api.InstanceExecControl) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.control.WriteJSON(message)
}

// end closes the control connection, upon which LXD kills the command.
func (p *process) end() error {
	err := p.control.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil // it had ended
	}
	return err
}
