package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"lxd-allowlist/export/rule"
)

// kubeMaxBytes is what a Kubernetes object may have, 1.5 MiB of etcd's request,
// less what the server adds. Client-side apply, which keeps a copy in an
// annotation, would take 256 KiB.
const kubeMaxBytes = 1_400_000

// kubeLabels tell the objects of a list from those of the ones before: applying
// a shorter list leaves objects behind. They are deleted by these, for kubectl's
// own ways don't do: --prune refuses --server-side, and --applyset is alpha and
// off, both in 1.37.
func kubeLabels(list string) string {
	return fmt.Sprintf(`  labels:
    app.kubernetes.io/managed-by: lxd-allowlist
    lxd-allowlist/list: %q`, list)
}

// kubeOthers selects the objects of other lists, for kubectl delete: the list's
// own name takes the place of kubeListWord.
const (
	kubeOthers   = "-n NAMESPACE -l app.kubernetes.io/managed-by=lxd-allowlist,lxd-allowlist/list!=" + kubeListWord + " (apply's own --prune, as of 1.37, refuses --server-side)"
	kubeListWord = "LIST"
)

// kubeList names a list by its content, as the value of a label.
func kubeList(hosts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(hosts, "\n")))
	return hex.EncodeToString(sum[:8])
}

// kubeMetadata is what a list's objects say of themselves.
type kubeMetadata struct {
	Name   string
	Labels map[string]string
}

// kubePort writes a port of a rule.
func (p *page) kubePort(port rule.Port) {
	p.line("        - {protocol: %s, port: %d}", strings.ToUpper(port.Protocol), port.Number)
}

// kubePorts finds what kubePort wrote.
var kubePorts = regexp.MustCompile(`(protocol: (?P<protocol>\w+), )?port: (?P<number>\d+)`)
