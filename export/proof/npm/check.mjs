// Gives a list to the packages of those who make what reads it:
//
//   node check.mjs sandbox-runtime FILE < NAMES   print pass or deny for each
//   node check.mjs claude-code FILE < NAMES       the same
//   node check.mjs cdktf FILE                     make the file's resources again
//   node check.mjs azure FILE                     print the file's names and addresses again
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'

const [target, file] = process.argv.slice(2)
const srt = import.meta.resolve('@anthropic-ai/sandbox-runtime').replace(/\/index\.js$/, '')
const list = JSON.parse(readFileSync(file, 'utf8'))

// srt's own matcher says for each name what its filter would.
async function matched(domains) {
    const { matchesDomainPatternWithPort } = await import(`${srt}/sandbox/domain-pattern.js`)
    const { canonicalizeHost } = await import(`${srt}/sandbox/parent-proxy.js`)
    for await (const name of createInterface({ input: process.stdin })) {
        const host = canonicalizeHost(name) ?? name
        console.log(domains.some(d => matchesDomainPatternWithPort(host, 443, d)) ? 'pass' : 'deny')
    }
}

// The settings go through srt's own schema.
async function sandboxRuntime() {
    const { SandboxRuntimeConfigSchema } = await import('@anthropic-ai/sandbox-runtime')
    await matched(SandboxRuntimeConfigSchema.parse(list).network.allowedDomains)
}

// Claude Code has the same sandbox under a key of its settings.
async function claudeCode() {
    const { NetworkConfigSchema } = await import(`${srt}/sandbox/sandbox-config.js`)
    const { allowedDomains, strictAllowlist } = list.sandbox.network
    await matched(NetworkConfigSchema.parse({ allowedDomains, strictAllowlist, deniedDomains: [] }).allowedDomains)
}

// The binding of Terraform's AWS provider must make of the resources what they
// are: it drops what it doesn't know.
async function cdktf() {
    const { Testing, TerraformStack } = (await import('cdktf')).default
    const require = createRequire(import.meta.url)
    for (const [kind, resources] of Object.entries(list.resource)) {
        const kinds = require(`@cdktf/provider-aws/lib/${kind.replace('aws_', '').replaceAll('_', '-')}`)
        const resource = Object.values(kinds).find(c => c.tfResourceType === kind)
        for (const [name, fields] of Object.entries(resources)) {
            const stack = new TerraformStack(Testing.app(), 'proof')
            new resource(stack, name, camel(fields)).overrideLogicalId(name)
            const made = JSON.parse(Testing.synth(stack)).resource[kind][name]
            if (!isDeepStrictEqual(made, fields)) throw new Error(`it makes of ${kind} ${name} ${JSON.stringify(made)}`)
        }
    }
}

// The binding spells the names of fields as JavaScript does: ruleGroup.
function camel(value) {
    if (Array.isArray(value) || typeof value !== 'object') return value
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k.replace(/_./g, m => m[1].toUpperCase()), camel(v)]))
}

// The template's resource must come out of Azure's serializer as it went in:
// that drops what it doesn't know. The bounds are looked at only when asked.
async function azure() {
    const { createSerializer } = await import('@azure/core-client')
    const mappers = await import('./node_modules/@azure/arm-network/dist/esm/models/mappers.js') // it exports them to nobody
    const serializer = createSerializer(mappers)
    const mapper = mappers.FirewallPolicyRuleCollectionGroup
    const sent = { properties: list.resources[0].properties }
    const addresses = list.parameters.sourceAddresses.defaultValue
    const rules = sent.properties.ruleCollections.flatMap(c => c.rules)
    for (const rule of rules) {
        if (rule.sourceAddresses !== "[parameters('sourceAddresses')]") throw new Error('sourceAddresses is no parameter')
        rule.sourceAddresses = addresses
    }
    const back = serializer.serialize(mapper, serializer.deserialize(mapper, sent, 'group'), 'group')
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(back)), sent)) {
        throw new Error(`the serializer makes of it ${JSON.stringify(back)}`)
    }
    const { port } = mappers.FirewallPolicyRuleApplicationProtocol.type.modelProperties
    for (const { ruleType, protocols, targetFqdns, ipProtocols, destinationAddresses, destinationPorts } of rules) {
        if (ruleType === 'NetworkRule') {
            if (!['TCP', 'UDP'].includes(`${ipProtocols}`)) throw new Error(`no protocol ${ipProtocols}`)
            console.log(`${destinationAddresses}:${destinationPorts}/${ipProtocols}`)
            continue
        }
        protocols.forEach(p => serializer.validateConstraints(port, p.port, 'port'))
        targetFqdns.forEach(name => console.log(name))
    }
}

await { 'sandbox-runtime': sandboxRuntime, 'claude-code': claudeCode, azure, cdktf }[target]()
