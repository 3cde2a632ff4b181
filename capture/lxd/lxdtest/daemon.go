package lxdtest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Daemon is an LXD of a test's own, which the test may stop, kill and start.
type Daemon struct {
	t     testing.TB
	dir   string
	netns string // its network namespace, "" for ours
	lxd   *exec.Cmd
	ended chan struct{} // closed when lxd has ended
}

// endPatience is how long what ran for a daemon may take to end after it.
const endPatience = 10 * time.Second

// NewDaemon starts an LXD with a storage pool and [Image]. Until the test's end
// it is the one that everything here, and the program, connects to.
func NewDaemon(t testing.TB) *Daemon {
	t.Helper()
	Client(t)                           // there is one, with the image
	dir, err := os.MkdirTemp("", "lxd") // short: a socket's path has at most 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	d := &Daemon{t: t, dir: dir}
	image := filepath.Join(dir, "image")
	if out, err := exec.Command("lxc", "image", "export", Image, image).CombinedOutput(); err != nil {
		t.Fatalf("export image %s: %v: %s", Image, err, out)
	}
	t.Setenv("LXD_DIR", d.Dir())
	t.Cleanup(d.remove)                          // when what the test makes is gone
	if err := os.Chmod(dir, 0o711); err != nil { // for the instances' users
		t.Fatal(err)
	}
	if err := os.Mkdir(d.Dir(), 0o711); err != nil {
		t.Fatal(err)
	}
	d.Start()
	d.run("lxc", "storage", "create", "--quiet", "default", "dir")
	d.run("lxc", "profile", "device", "add", "default", "root", "disk", "path=/", "pool=default")
	d.run("lxc", "image", "import", "--quiet", image+".tar.gz", "local:", "--alias", Image)
	return d
}

// Dir returns what is the daemon's LXD_DIR.
func (d *Daemon) Dir() string { return filepath.Join(d.dir, "lxd") }

// Start starts the daemon and waits until it is ready.
func (d *Daemon) Start() {
	d.t.Helper()
	// What runs for it is found by the directory in its arguments.
	d.lxd = d.command("lxd", "--group", "root", "--logfile", filepath.Join(d.dir, "lxd.log"))
	d.lxd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := d.lxd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan struct{})
	go func(lxd *exec.Cmd, ended chan struct{}) {
		_ = lxd.Wait() // it is killed, mostly
		close(ended)
	}(d.lxd, d.ended)
	d.run("lxd", "waitready", "--timeout", "60")
}

// Kill kills the daemon alone: its instances and their dnsmasq go on.
func (d *Daemon) Kill() { d.signal(syscall.SIGKILL) }

// Stop has the daemon end as a service manager does before an update: the
// instances and their dnsmasq go on. It waits for the commands in instances.
func (d *Daemon) Stop() { d.signal(syscall.SIGTERM) }

// Freeze has the daemon stand still, as one that hangs: it takes connections, and
// says nothing. [Daemon.Thaw] has it go on.
func (d *Daemon) Freeze() { d.send(syscall.SIGSTOP) }

// Thaw ends [Daemon.Freeze].
func (d *Daemon) Thaw() { d.send(syscall.SIGCONT) }

func (d *Daemon) signal(signal syscall.Signal) {
	d.t.Helper()
	d.send(signal)
	<-d.ended
}

func (d *Daemon) send(signal syscall.Signal) {
	d.t.Helper()
	if err := d.lxd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.t.Fatal(err)
	}
}

// Lose makes LXD, which must not run, forget the dnsmasq of a network, as one
// does that is killed right after it started that.
func (d *Daemon) Lose(network string) {
	d.t.Helper()
	if err := os.Remove(filepath.Join(d.Dir(), "networks", network, "dnsmasq.pid")); err != nil {
		d.t.Fatal(err)
	}
}

// Tear makes what LXD, which must not run, noted of the dnsmasq of a network
// empty, as one does that is killed as it writes it.
func (d *Daemon) Tear(network string) {
	d.t.Helper()
	if err := os.Truncate(filepath.Join(d.Dir(), "networks", network, "dnsmasq.pid"), 0); err != nil {
		d.t.Fatal(err)
	}
}

// Dnsmasqs returns the processes that serve a network.
func (d *Daemon) Dnsmasqs(network string) (pids []int) {
	return slices.DeleteFunc(processes("="+filepath.Join(d.Dir(), "networks", network)+"/"), func(pid int) bool {
		comm, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
		return err != nil || string(comm) != "dnsmasq\n"
	})
}

// Config returns what a network's dnsmasq was told by raw.dnsmasq, which the
// file beside its leases has.
func (d *Daemon) Config(network string) string {
	d.t.Helper()
	raw, err := os.ReadFile(filepath.Join(d.Dir(), "networks", network, "dnsmasq.raw"))
	if err != nil {
		d.t.Fatal(err)
	}
	return string(raw)
}

// Inside runs a command in an instance past LXD, which may be away.
func (d *Daemon) Inside(instance string, args ...string) {
	d.t.Helper()
	for _, pid := range processes("[lxc monitor] " + d.Dir() + "/containers " + instance) {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
		if init := strings.Fields(string(children)); err == nil && len(init) == 1 {
			d.run(append([]string{"nsenter", "--target", init[0], "--mount", "--net", "--uts", "--root", "--"}, args...)...)
			return
		}
	}
	d.t.Fatalf("instance %s doesn't run", instance)
}

// command returns one that is about this daemon, and runs where that does.
func (d *Daemon) command(args ...string) *exec.Cmd {
	if d.netns != "" {
		args = append([]string{"ip", "netns", "exec", d.netns}, args...)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Env = append(os.Environ(), "LXD_DIR="+d.Dir())
	return c
}

func (d *Daemon) call(args ...string) error {
	if out, err := d.command(args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

func (d *Daemon) run(args ...string) {
	d.t.Helper()
	if err := d.call(args...); err != nil {
		d.t.Fatal(err)
	}
}

// remove ends the daemon and what runs for it, and removes its directory. A
// test that failed may have left it dead.
func (d *Daemon) remove() {
	defer os.RemoveAll(d.dir)
	if d.lxd == nil {
		return
	}
	select {
	case <-d.ended:
		d.Start()
	default:
		d.Thaw()
	}
	if err := d.call("lxd", "shutdown", "--force", "--timeout", "30"); err != nil {
		d.t.Error(err)
		d.Kill()
	}
	<-d.ended
	late := time.Now().Add(endPatience)
	for len(processes(d.dir+"/")) > 0 && time.Now().Before(late) {
		time.Sleep(50 * time.Millisecond) // others' children tell nobody of their end
	}
	for _, pid := range processes(d.dir + "/") {
		line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // it may have ended
		d.t.Errorf("process %d of the test's LXD is left: %q", pid, line)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		d.t.Error(err)
	}
	for _, line := range slices.Backward(strings.Split(string(mounts), "\n")) {
		if path := field(line, 1); strings.HasPrefix(path, d.dir+"/") {
			if err := syscall.Unmount(path, syscall.MNT_DETACH); err != nil {
				d.t.Errorf("unmount %s: %v", path, err)
			}
		}
	}
}

func field(line string, n int) string {
	fields := strings.Fields(line)
	if len(fields) <= n {
		return ""
	}
	return fields[n]
}

// processes returns those that have a text in their command line.
func processes(text string) (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline") // the pattern is well-formed
	for _, path := range all {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte(text)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	slices.SortFunc(pids, cmp.Compare)
	return pids
}
