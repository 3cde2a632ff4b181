package lxd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What lxc knows, from where it knows it, and the files that go with it.
func TestLoadRemotes(t *testing.T) {
	home := alone(t)
	machine := t.TempDir()
	t.Setenv("LXD_GLOBAL_CONF", machine)
	configure(t, machine, "default-remote: ignored\nremotes:\n  shared: {addr: \"https://shared.example:8443\", auth_type: tls}\n  both: {addr: \"https://machine.example\"}\n")
	users := filepath.Join(home, ".config/lxc")
	configure(t, users, "default-remote: far\naliases: {x: y}\nremotes:\n  far: {addr: \"https://far.example:8443\", project: p, auth_type: tls, public: false, protocol: lxd}\n  both: {addr: \"https://user.example\"}\n  pictures: {addr: \"https://pictures.example\", protocol: simplestreams, public: true}\n")
	for path, text := range map[string]string{
		users + "/client.crt": "crt", users + "/client.key": "key", users + "/servercerts/far.crt": "far's", machine + "/servercerts/shared.crt": "shared's",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all, err := loadRemotes()
	if err != nil || all.Default != "far" {
		t.Fatalf("the default is %q, %v", all.Default, err)
	}
	for _, c := range []struct {
		name, address, project string
		imagesOnly             bool
		server, client         string
	}{
		{"far", "https://far.example:8443", "p", false, "far's", "crt key"},
		{"shared", "https://shared.example:8443", "", false, "shared's", "crt key"},
		{"both", "https://user.example", "", false, "", "crt key"},
		{"pictures", "https://pictures.example", "", true, "", " "},
		{"local", "unix://", "", false, "", "crt key"},
		{"ubuntu", "https://cloud-images.ubuntu.com/releases/", "", true, "", " "},
	} {
		r, err := all.named(c.name)
		if err != nil || r.Address != c.address || r.Project != c.project || r.imagesOnly() != c.imagesOnly {
			t.Errorf("%s is %+v, %v", c.name, r, err)
		}
		a, err := all.arguments(c.name, r)
		if err != nil || a.TLSServerCert != c.server || a.TLSClientCert+" "+a.TLSClientKey != c.client {
			t.Errorf("%s: %+v, %v", c.name, a, err)
		}
	}
	t.Setenv("LXC_REMOTE", "both")
	if all, err = loadRemotes(); err != nil || all.Default != "both" {
		t.Errorf("with LXC_REMOTE the default is %q, %v", all.Default, err)
	}
}

// An image of a remote that isn't there says once what to do.
func TestImageOfNoRemote(t *testing.T) {
	s := &Server{name: "local", images: &remotes{}}
	const want = `find image nowhere:24.04: lxc knows no remote "nowhere": see lxc remote list`
	if _, _, _, err := s.findImage(t.Context(), "nowhere:24.04"); err == nil || err.Error() != want {
		t.Errorf("it says %v, want %s", err, want)
	}
}

// A log-in that isn't there or is broken says what to do.
func TestOpenIDConnect(t *testing.T) {
	home := alone(t)
	users := filepath.Join(home, ".config/lxc")
	configure(t, users, "remotes:\n  far: {addr: \"https://far.example:8443\", auth_type: oidc}\n")
	all, err := loadRemotes()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := all.instances("far"); err == nil || !strings.Contains(err.Error(), "log in with lxc list far:") {
		t.Errorf("without a log-in it said %v", err)
	}
	if err := os.MkdirAll(users+"/oidctokens", 0o700); err != nil {
		t.Fatal(err)
	}
	for text, fits := range map[string]bool{"no JSON": false, `{"access_token":"a","refresh_token":"r","IDToken":"i","token_type":"Bearer"}`: true} {
		if err := os.WriteFile(users+"/oidctokens/far.json", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := all.arguments("far", all.ByName["far"])
		if fits && (err != nil || a.OIDCTokens.IDToken != "i" || a.OIDCTokens.Token == nil || a.OIDCTokens.AccessToken != "a") {
			t.Errorf("%s: %+v, %v", text, a, err)
		}
		if !fits && (err == nil || !strings.Contains(err.Error(), "log in with lxc list far: once more")) {
			t.Errorf("%s: it said %v", text, err)
		}
	}
}
