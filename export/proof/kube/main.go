// Command kube is a Kubernetes API server for the kinds of others, and kubectl:
//
//	kube serve KUBECONFIG         serve on loopback until standard input ends
//	kube kubectl ARGUMENTS...     what kubectl does with them
//
// KUBECONFIG is written once it serves. There are no nodes and no kinds of
// Kubernetes' own but definitions. It is a module of its own, so that what it
// requires is no business of the program's.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"

	"go.etcd.io/etcd/server/v3/embed"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	clientset "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	server "k8s.io/apiextensions-apiserver/pkg/cmd/server/testing"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/kubectl/pkg/cmd"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kube:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 1 && args[0] == "kubectl":
		os.Args = args
		return cmd.NewDefaultKubectlCommand().Execute()
	case len(args) == 2 && args[0] == "serve":
		return serve(args[1])
	}
	return errors.New("call it with serve and a file, or kubectl and its arguments")
}

func serve(kubeconfig string) error {
	dir, err := os.MkdirTemp("", "kube")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	storage, err := startStorage(filepath.Join(dir, "etcd"))
	if err != nil {
		return err
	}
	defer storage.Close()
	// The server wants to be told of another that it could ask who may do
	// what, and of which it is not to know.
	nobody := filepath.Join(dir, "nobody")
	if err := write(nobody, "http://127.0.0.1:1"); err != nil {
		return err
	}
	s, err := server.StartTestServer(log{}, nil, []string{
		"--etcd-servers", storage.Config().ListenClientUrls[0].String(),
		"--authentication-skip-lookup",
		"--authentication-kubeconfig", nobody,
		"--authorization-kubeconfig", nobody,
		"--kubeconfig", nobody,
		"--enable-priority-and-fairness=false",
		"--disable-admission-plugins", "NamespaceLifecycle,MutatingAdmissionWebhook,ValidatingAdmissionWebhook,ValidatingAdmissionPolicy,MutatingAdmissionPolicy",
	}, nil)
	if err != nil {
		return err
	}
	defer s.TearDownFn()
	front, err := frontOf(s.ClientConfig)
	if err != nil {
		return err
	}
	defer front.Close()
	if err := write(kubeconfig, front.URL); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// frontOf stands before the server, as Kubernetes' own does, and tells of the
// groups of kinds that there are: the server itself doesn't. Nobody needs a
// password there.
func frontOf(config *rest.Config) (*httptest.Server, error) {
	to, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	definitions, err := clientset.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	behind := httputil.NewSingleHostReverseProxy(to)
	if behind.Transport, err = rest.TransportFor(config); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", behind)
	mux.HandleFunc("/api", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, metav1.APIVersions{TypeMeta: metav1.TypeMeta{Kind: "APIVersions"}})
	})
	mux.HandleFunc("/apis", func(w http.ResponseWriter, r *http.Request) {
		all, err := definitions.ApiextensionsV1().CustomResourceDefinitions().List(r.Context(), metav1.ListOptions{})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		answer(w, groups(all.Items))
	})
	return httptest.NewServer(mux), nil
}

// groups are those of the definitions, and that of definitions themselves.
func groups(definitions []apiextensions.CustomResourceDefinition) metav1.APIGroupList {
	versions := map[string][]string{apiextensions.GroupName: {"v1"}}
	for _, d := range definitions {
		for _, v := range d.Spec.Versions {
			if of := versions[d.Spec.Group]; v.Served && !slices.Contains(of, v.Name) {
				versions[d.Spec.Group] = append(of, v.Name)
			}
		}
	}
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	for name, of := range versions {
		group := metav1.APIGroup{Name: name}
		for _, v := range of {
			group.Versions = append(group.Versions, metav1.GroupVersionForDiscovery{GroupVersion: name + "/" + v, Version: v})
		}
		group.PreferredVersion = group.Versions[0]
		list.Groups = append(list.Groups, group)
	}
	return list
}

func answer(w http.ResponseWriter, what any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(what)
}

// startStorage starts what the server keeps its objects in.
func startStorage(dir string) (*embed.Etcd, error) {
	config := embed.NewConfig()
	config.Dir, config.LogLevel = dir, "error"
	for _, urls := range []*[]url.URL{&config.ListenClientUrls, &config.ListenPeerUrls} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		*urls = []url.URL{{Scheme: "http", Host: l.Addr().String()}}
		l.Close()
	}
	config.AdvertiseClientUrls, config.AdvertisePeerUrls = config.ListenClientUrls, config.ListenPeerUrls
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	e, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	<-e.Server.ReadyNotify()
	return e, nil
}

// write makes a kubeconfig, at once or not at all.
func write(path, url string) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["proof"] = &clientcmdapi.Cluster{Server: url}
	config.Contexts["proof"] = &clientcmdapi.Context{Cluster: "proof"}
	config.CurrentContext = "proof"
	if err := clientcmd.WriteToFile(*config, path+".new"); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// log is where the server says what it does, and that it can't go on.
type log struct{}

func (log) Logf(string, ...any) {}

func (log) Errorf(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func (l log) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	os.Exit(1)
}
