// Gives a list to the packages of those who make what reads it:
//
//   node check.mjs sandbox-runtime FILE < NAMES   print pass or deny for each
//   node check.mjs azure FILE                     print the file's names again
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { isDeepStrictEqual } from 'node:util'

const [target, file] = process.argv.slice(2)
const list = JSON.parse(readFileSync(file, 'utf8'))

// The settings go through srt's own schema, the names through its own matcher.
async function sandboxRuntime() {
    const { SandboxRuntimeConfigSchema } = await import('@anthropic-ai/sandbox-runtime')
    const { matchesDomainPatternWithPort } = await import('@anthropic-ai/sandbox-runtime/dist/sandbox/domain-pattern.js')
    const { network } = SandboxRuntimeConfigSchema.parse(list)
    for await (const name of createInterface({ input: process.stdin })) {
        const pass = network.allowedDomains.some(d => matchesDomainPatternWithPort(name, 443, d))
        console.log(pass ? 'pass' : 'deny')
    }
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
    const rule = sent.properties.ruleCollections[0].rules[0]
    if (rule.sourceAddresses !== "[parameters('sourceAddresses')]") throw new Error('sourceAddresses is no parameter')
    rule.sourceAddresses = addresses
    const back = serializer.serialize(mapper, serializer.deserialize(mapper, sent, 'group'), 'group')
    if (!isDeepStrictEqual(JSON.parse(JSON.stringify(back)), sent)) {
        throw new Error(`the serializer makes of it ${JSON.stringify(back)}`)
    }
    const { port } = mappers.FirewallPolicyRuleApplicationProtocol.type.modelProperties
    rule.protocols.forEach(p => serializer.validateConstraints(port, p.port, 'port'))
    rule.targetFqdns.forEach(name => console.log(name))
}

await { 'sandbox-runtime': sandboxRuntime, azure }[target]()
