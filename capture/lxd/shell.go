package lxd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/canonical/lxd/shared/api"

	"lxd-allowlist/capture/crash"
)

// loginScript becomes a login shell of the user in $1, or by default of
// ubuntu where there is that account, else of root. It replaces itself, so
// that the exit code is the shell's.
const loginScript = `user=$1
if ! command -v su >/dev/null 2>&1; then
	case "$user" in
	"" | root) exec /bin/sh ;;
	esac
	echo "this instance has no su, so there is no shell as $user" >&2
	exit 127
fi
if [ -z "$user" ]; then
	user=root
	id ubuntu >/dev/null 2>&1 && user=ubuntu
fi
exec su -l -- "$user"`

// Shell is a terminal in an instance.
type Shell struct {
	process *process
	stdin   *io.PipeWriter
	output  *io.PipeReader
}

// Shell opens a login shell. user "" is ubuntu where there is that account,
// else root. The context is for the opening alone.
func (s *Server) Shell(ctx context.Context, instance, user string, width, height int) (*Shell, error) {
	stdin, typed := io.Pipe()
	output, screen := io.Pipe()
	p, err := s.exec(ctx, instance, api.InstanceExecPost{
		Command:     []string{"/bin/sh", "-c", loginScript, "sh", user},
		Interactive: true,
		Width:       width,
		Height:      height,
		Environment: map[string]string{"TERM": "xterm-256color", "COLORTERM": "truecolor"},
	}, stdin, screen, nil)
	if err != nil {
		return nil, fmt.Errorf("open a shell in %s: %w", instance, err)
	}
	go crash.Guarded("the shell", func() { <-p.ended }, func() {
		// What was printed last is read before the end.
		_ = screen.Close()
		_ = stdin.CloseWithError(io.ErrClosedPipe)
	})()
	return &Shell{process: p, stdin: typed, output: output}, nil
}

// Read returns what the shell prints; [io.EOF] when it has ended.
func (s *Shell) Read(b []byte) (int, error) { return s.output.Read(b) }

// Write types. It blocks while the shell takes nothing.
func (s *Shell) Write(b []byte) (int, error) { return s.stdin.Write(b) }

// Resize tells the shell the size of its terminal.
func (s *Shell) Resize(width, height int) error {
	return s.process.send(api.InstanceExecControl{
		Command: "window-resize",
		Args:    map[string]string{"width": strconv.Itoa(width), "height": strconv.Itoa(height)},
	})
}

// Wait returns when the shell has ended, with its exit code or with why that
// isn't known. What it printed must be read, or Wait doesn't return.
func (s *Shell) Wait() (code int, err error) { return s.process.wait() }

// Close ends the shell and what runs in it.
func (s *Shell) Close() error {
	// Without a reader the last output would be waited for.
	return errors.Join(s.process.end(), s.output.Close(), s.stdin.Close())
}
