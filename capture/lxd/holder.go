package lxd

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The keys of a network that are ours. LXD neither reads those under user.*
// nor restarts dnsmasq when they change.
const (
	rawKey      = "raw.dnsmasq"
	ourKeys     = "user.lxd-allowlist."
	lockKey     = ourKeys + "lock"     // the lease's token
	originalKey = ourKeys + "original" // raw.dnsmasq before; LXD keeps no empty value
	wasSetKey   = ourKeys + "was-set"  // whether there was one
	appliedKey  = ourKeys + "applied"  // digest of what the holder sets instead
	fileKey     = ourKeys + "file"     // the holder's own log file, where it uses one
	hostKey     = ourKeys + "host"
	bootKey     = ourKeys + "boot"
	pidKey      = ourKeys + "pid"
	startKey    = ourKeys + "start" // the process's, in ticks since boot
	userKey     = ourKeys + "user"
	programKey  = ourKeys + "program"
	sinceKey    = ourKeys + "since"
)

// programName is what a holder is called.
const programName = "lxd-allowlist"

// HeldError says that somebody who is alive, or whose life can't be checked
// from here, holds the lease of a network, or enforces a list on an instance.
type HeldError struct {
	Network  string
	Instance string // "" for the lease of Network
	By       string // program, user, process and host, for people
	Since    time.Time
}

func (e *HeldError) Error() string {
	what, take := fmt.Sprintf("network %s is in use", e.Network), "restore --force "+e.Network
	if e.Instance != "" {
		what, take = fmt.Sprintf("a list is being enforced on instance %s", e.Instance), "restore --force"
	}
	return fmt.Sprintf("%s by %s since %s: quit that one first, or, if it hangs, take it with %s %s",
		what, e.By, e.Since.Local().Format(time.DateTime), programName, take)
}

// endTries is how often a holder is asked after that may be about to end, and
// endPause the wait between two: to give a bridge back it has dnsmasq started
// anew, and to end a list it tries that once more.
const (
	endTries = 20
	endPause = 100 * time.Millisecond
)

// takeFrom takes what a holder may have, which is waited for a little: who quits
// one program and starts the next needs no force.
func takeFrom(ctx context.Context, take func() error) error {
	err := take()
	for try := 0; try < endTries && errors.As(err, new(*HeldError)); try++ {
		if ended := pause(ctx, endPause); ended != nil {
			return errors.Join(ended, err)
		}
		err = take()
	}
	return err
}

// LeftoverError says that a network still has what a killed run set, with the
// original beside it. [Server.Restore] mends it.
type LeftoverError struct {
	Network string
	By      string
	Since   time.Time
}

func (e *LeftoverError) Error() string {
	return fmt.Sprintf("network %s still has the settings of %s, which was killed (started %s): restore it first", e.Network, e.By, e.Since.Local().Format(time.DateTime))
}

// holderError tells the lease's holder in a network's configuration, nil
// where there is none.
func holderError(network string, config map[string]string) error {
	if config[lockKey] == "" {
		return nil
	}
	by, since := holderIn(config)
	if holderDead(config) {
		return &LeftoverError{network, by, since}
	}
	return &HeldError{Network: network, By: by, Since: since}
}

// holderIn tells who the keys name, and since when, for people.
func holderIn(config map[string]string) (by string, since time.Time) {
	since, _ = time.Parse(time.RFC3339, config[sinceKey]) // zero if it was meddled with
	return fmt.Sprintf("%s (user %s, process %s on %s)", config[programKey], config[userKey], config[pidKey], config[hostKey]), since
}

// holderKeys returns the keys that name this process.
func holderKeys() map[string]string {
	host, _ := os.Hostname() // "" never equals a stored one, and can't be checked
	return map[string]string{
		hostKey:    host,
		bootKey:    bootID(),
		pidKey:     strconv.Itoa(os.Getpid()),
		startKey:   startTime(os.Getpid()),
		userKey:    userName(),
		programKey: programName,
		sinceKey:   time.Now().UTC().Format(time.RFC3339),
	}
}

// ours reports whether the keys name this process.
func ours(config map[string]string) bool {
	now := holderKeys()
	return config[hostKey] == now[hostKey] && config[pidKey] == now[pidKey] && config[startKey] == now[startKey]
}

// holderDead reports whether the process that the keys name has surely ended.
func holderDead(config map[string]string) bool {
	host, err := os.Hostname()
	if err != nil || host != config[hostKey] {
		return false
	}
	if boot := bootID(); boot != "" && config[bootKey] != "" && boot != config[bootKey] {
		return true
	}
	pid, err := strconv.Atoi(config[pidKey])
	if err != nil || pid <= 0 {
		return false
	}
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	// The number may belong to another process by now.
	start := startTime(pid)
	return start != "" && config[startKey] != "" && start != config[startKey]
}

func bootID() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(id))
}

// startTime returns when a process began, "" where that can't be read. A
// zombie has ended.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The command's name in parentheses may hold anything; what follows is
	// fields from the third on.
	_, rest, _ := strings.Cut(string(stat[max(0, strings.LastIndexByte(string(stat), ')')):]), " ")
	fields := strings.Fields(rest)
	const state, start = 0, 19
	if len(fields) <= start {
		return ""
	}
	if fields[state] == "Z" {
		return "ended"
	}
	return fields[start]
}

func userName() string {
	if u, err := user.Current(); err == nil {
		return cmp.Or(os.Getenv("SUDO_USER"), u.Username)
	}
	return strconv.Itoa(os.Getuid())
}

// digest tells one raw.dnsmasq from another.
func digest(raw string) string {
	sum := sha256.Sum256([]byte(raw))
	return hex.EncodeToString(sum[:8])
}
