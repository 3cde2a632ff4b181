//go:build beyond

package proof

import (
	"bufio"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
)

// The sandbox of Claude Code takes the list by its own schema, and its own
// matcher says for each name what its filter would.
const srtAsker = `
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
const [dist, path] = process.argv.slice(1)
const { NetworkConfigSchema } = await import(dist + '/sandbox/sandbox-config.js')
const { matchesDomainPatternWithPort } = await import(dist + '/sandbox/domain-pattern.js')
const { canonicalizeHost } = await import(dist + '/sandbox/parent-proxy.js')
const { allowedDomains, strictAllowlist } = JSON.parse(readFileSync(path)).sandbox.network
const network = NetworkConfigSchema.parse({ allowedDomains, strictAllowlist, deniedDomains: [] })
for await (const name of createInterface({ input: process.stdin })) {
	const host = canonicalizeHost(name) ?? name
	console.log(network.allowedDomains.some(p => matchesDomainPatternWithPort(host, 443, p)) ? 'pass' : 'deny')
}
`

func TestClaudeCode(t *testing.T) {
	prove(t, format(t, "claude-code"), func(t *testing.T, path string) target {
		srt, err := filepath.EvalSymlinks(find("srt"))
		if err != nil {
			t.Fatalf("no sandbox-runtime: .ci/beyond: %v", err)
		}
		cmd := exec.Command("node", "--input-type=module", "-e", srtAsker, filepath.Dir(srt), path)
		said := new(transcript)
		cmd.Stderr = said
		names, errIn := cmd.StdinPipe()
		out, errOut := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil || errIn != nil || errOut != nil {
			t.Fatal(err, errIn, errOut)
		}
		t.Cleanup(func() {
			names.Close()
			if err := cmd.Wait(); err != nil {
				t.Errorf("node: %v\n%s", err, said)
			}
		})
		verdicts := bufio.NewScanner(out)
		return target{ask: func(t *testing.T, name string) bool {
			t.Helper()
			fmt.Fprintln(names, name)
			if !verdicts.Scan() {
				t.Fatalf("%s: no verdict: %v\n%s", name, verdicts.Err(), said)
			}
			return verdicts.Text() == "pass"
		}}
	}, hostQuestions...)
}
