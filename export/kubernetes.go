package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"lxd-allowlist/export/rule"
)

// kubeMaxBytes is what a Kubernetes object may have, 1.5 MiB of etcd's request,
// less what the server adds. Client-side apply, which keeps a copy in an
// annotation, would take 256 KiB.
const kubeMaxBytes = 1_400_000

// kubeLabels tell the objects of a list from those of the ones before: applying
// a shorter list leaves objects behind.
func kubeLabels(list string) string {
	return fmt.Sprintf(`  labels:
    app.kubernetes.io/managed-by: lxd-allowlist
    lxd-allowlist/list: %q`, list)
}

// kubeListWord stands for the list's own name in [kubeLoad].
const kubeListWord = "LIST"

// kubeLoad says how the objects of a list are applied, such that those of the
// lists before go, too: by kubectl's own pruning, which with --server-side wants
// an ApplySet, whose objects a ConfigMap of its own keeps track of (Kubernetes'
// "Declarative Management of Kubernetes Objects Using Configuration Files"), or by
// their labels.
func kubeLoad(format, kind, what string) string {
	return "KUBECTL_APPLYSET=true kubectl apply --server-side --prune --applyset=configmaps/lxd-allowlist-" + format + " -n NAMESPACE -f FILE" +
		" (as of version 1.27, where ApplySets are alpha; it deletes what was applied so and has left the list); without them: kubectl apply --server-side -n NAMESPACE -f FILE; then, or " +
		what + " that left the list stay open: kubectl delete " + kind + " -n NAMESPACE -l app.kubernetes.io/managed-by=lxd-allowlist,lxd-allowlist/list!=" + kubeListWord
}

// kubeList names a list by its content, as the value of a label.
func kubeList(hosts []string) string {
	sum := sha256.Sum256([]byte(strings.Join(hosts, "\n")))
	return hex.EncodeToString(sum[:8])
}

// kubeNumbered begins the line with the name of an object, which ends in its
// number.
const kubeNumbered = "  name: lxd-allowlist-"

// kubeMetadata is what a list's objects say of themselves.
type kubeMetadata struct {
	Name   string
	Labels map[string]string
}

// kubePort writes a port of a rule.
func (p *page) kubePort(port rule.Port) {
	p.put("        - {protocol: ", strings.ToUpper(port.Protocol), ", port: ", strconv.Itoa(int(port.Number)), "}")
}

// kubePorts finds what kubePort wrote.
var kubePorts = regexp.MustCompile(`(protocol: (?P<protocol>\w+), )?port: (?P<number>\d+)`)
