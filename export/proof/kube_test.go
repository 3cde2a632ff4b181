//go:build beyond

package proof

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"lxd-allowlist/export"
	"lxd-allowlist/export/rule"
)

// cluster is a Kubernetes API server with kubectl.
type cluster struct {
	t                  *testing.T
	binary, kubeconfig string
}

func startCluster(t *testing.T) cluster {
	t.Helper()
	c := cluster{t, build(t, "kube"), filepath.Join(t.TempDir(), "kubeconfig")}
	cmd := exec.Command(c.binary, "serve", c.kubeconfig)
	said := new(transcript)
	cmd.Stdout, cmd.Stderr = said, said
	alive, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		alive.Close()
		if err := <-ended; err != nil || t.Failed() {
			t.Logf("the API server: %v\n%s", err, tail(said.String()))
		}
	})
	serves := func(*transcript) error { _, err := os.Stat(c.kubeconfig); return err }
	if err := await(said, serves, ended); err != nil {
		t.Fatalf("the API server: %v", err)
	}
	return c
}

// kubectl returns what it says.
func (c cluster) kubectl(args ...string) (string, error) {
	cmd := exec.Command(c.binary, append([]string{"kubectl", "--kubeconfig", c.kubeconfig}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECTL_APPLYSET=true")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c cluster) must(args ...string) string {
	c.t.Helper()
	out, err := c.kubectl(args...)
	if err != nil {
		c.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, tail(out))
	}
	return out
}

var (
	loadLine = regexp.MustCompile(`(?m)^# load: (.*)$`)
	given    = regexp.MustCompile(`"([a-z0-9.]+\.example\.org)"`)
	command  = regexp.MustCompile(`\b(?:kubectl|oc) ([^;]+?)(;|, | \(|$)`)
)

// load runs the commands that the file itself names: all but those that prune, or
// these alone.
func (c cluster) load(path string, prune bool) {
	c.t.Helper()
	n := 0
	for _, found := range command.FindAllStringSubmatch(loadLine.FindStringSubmatch(read(c.t, path))[1], -1) {
		if strings.Contains(found[1], "--prune") == prune {
			n++
			c.must(strings.Fields(strings.NewReplacer("NAMESPACE", "default", "FILE", path, "configmaps/", parents+"/").Replace(found[1]))...)
		}
	}
	if n == 0 {
		c.t.Fatal("the file doesn't say how it is loaded")
	}
}

// parents is a kind in the place of ConfigMaps, which this server doesn't have.
const parents = "parents.proof.example"

const parentsDefinition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: ` + parents + `
  labels: {applyset.kubernetes.io/is-parent-type: "true"}
spec:
  group: proof.example
  scope: Namespaced
  names: {kind: Parent, plural: parents, singular: parent}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
`

// makeParent makes what kubectl makes itself where it is a ConfigMap (Kubernetes'
// KEP 3659, "ApplySet Identification" has the label).
func (c cluster) makeParent(name string) {
	c.t.Helper()
	id := sha256.Sum256([]byte(name + ".default.Parent.proof.example"))
	c.must("apply", "--server-side", "-n", "default", "-f", write(c.t, "parent.yaml", fmt.Appendf(nil, `apiVersion: proof.example/v1
kind: Parent
metadata:
  name: %s
  labels: {applyset.kubernetes.io/id: applyset-%s-v1}
  annotations: {applyset.kubernetes.io/tooling: kubectl/v0, applyset.kubernetes.io/contains-group-kinds: ""}
`, name, base64.RawURLEncoding.EncodeToString(id[:])), 0o644))
}

// names returns those of the tests that the cluster's objects of a kind have.
func (c cluster) names(kind string) []string {
	c.t.Helper()
	var list struct {
		Items []struct{ Spec json.RawMessage }
	}
	if err := json.Unmarshal([]byte(c.must("get", kind, "-n", "default", "-o", "json")), &list); err != nil {
		c.t.Fatal(err)
	}
	var names []string
	for _, object := range list.Items {
		for _, found := range given.FindAllSubmatch(object.Spec, -1) {
			names = append(names, string(found[1]))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// kubectl and an API server with the definitions of those who make the kinds take
// the files by the commands that these name, of the longest list, too; and what
// left a list is closed.
func TestKubernetes(t *testing.T) {
	c := startCluster(t)
	version := strings.Replace(moduleOf(t, "kube", "k8s.io/kubectl").Version, "v0.", "1.", 1)
	version = version[:strings.LastIndexByte(version, '.')]
	c.must("apply", "--server-side", "-f", write(t, "parents.yaml", []byte(parentsDefinition), 0o644))
	for name, kind := range map[string]struct{ objects, definition string }{
		"istio":     {"serviceentry", filepath.Join(moduleOf(t, "vendors", "istio.io/api").Dir, "kubernetes/customresourcedefinitions.gen.yaml")},
		"gke":       {"fqdnnetworkpolicy", gkeDefinition(t)},
		"cilium":    {"ciliumnetworkpolicy", ciliumDefinition(moduleOf(t, "cilium", ciliumModule))},
		"openshift": {"egressfirewall", ovnDefinition(t)},
	} {
		t.Run(name, func(t *testing.T) {
			f, c := format(t, name), cluster{t, c.binary, c.kubeconfig}
			if !strings.Contains(f.Proven, "kubectl "+version) {
				t.Errorf("proven with kubectl %s, and it says: %s", version, f.Proven)
			}
			c.must("apply", "--server-side", "-f", kind.definition)
			c.must("wait", "--for", "condition=Established", "--timeout", "60s", "crd", "--all")
			longest, path := longestList(t, f), file(t, f, []rule.Rule{{Name: "www.example.org"}})
			prunes := strings.Contains(f.Load, "--prune")
			if prunes {
				c.makeParent("lxd-allowlist-" + name)
			}
			for _, prune := range []bool{false, true} {
				if prune && !prunes {
					continue
				}
				c.load(fileOf(t, f, longest), prune)
				if got := c.names(kind.objects); len(got) < longest.Len() {
					t.Errorf("of %d rules %d are there", longest.Len(), len(got))
				}
				c.load(path, prune)
				if got := c.names(kind.objects); !slices.Equal(got, []string{"www.example.org"}) {
					t.Errorf("a list that shrank allows %d names: %s", len(got), few(got))
				}
			}
			broken := strings.Replace(read(t, path), "spec:", "spec:\n  nonsense: true", 1)
			if out, err := c.kubectl("apply", "--server-side", "-n", "default", "-f", write(t, "broken.yaml", []byte(broken), 0o644)); err == nil {
				t.Errorf("it takes nonsense: %s", out)
			}
		})
	}
}

// longestList is the longest list that the format takes, of so many that an
// object of a list that is split is full.
func longestList(t *testing.T, f export.Format) rule.Compiled {
	t.Helper()
	const most = 20_000
	list := make([]rule.Rule, most)
	for i := range list {
		list[i] = rule.Rule{Name: manyRule(i).Name}
	}
	if f.Limits() == "no list without a rule" {
		return compiled(t, list[:300])
	}
	return compiled(t, list[:sort.Search(most, func(n int) bool {
		_, err := export.Render(f, compiled(t, list[:n+1]), export.Options{})
		return err != nil
	})])
}
