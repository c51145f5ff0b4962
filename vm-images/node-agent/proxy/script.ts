// nft scripts: the whole table, or only what differs from what is loaded. Each script is one transaction. Pure.
import { fixedChains, mapTypes, unallocatedChains, tableName, type MapName, type Ruleset } from './rules.ts'

const table = `ip ${tableName}`
const mapNames = Object.keys(mapTypes) as MapName[]

/** Replaces whatever is there. */
export function fullScript(
  rules: Ruleset,
  options: { serviceCIDR: string; skipAddresses: ReadonlySet<string> },
): string {
  const fixed = new Map([...fixedChains, ...unallocatedChains(options)])
  const lines = [`add table ${table}`, `delete table ${table}`, `add table ${table}`]
  for (const name of mapNames) lines.push(`add map ${table} ${name} { type ${mapTypes[name]}; }`)
  for (const [name, body] of fixed) {
    const hook = body[0]?.startsWith('type ') === true ? ` { ${body[0]} }` : ''
    lines.push(`add chain ${table} ${name}${hook}`)
  }
  for (const [name, body] of fixed)
    for (const rule of body) if (!rule.startsWith('type ')) lines.push(`add rule ${table} ${name} ${rule}`)
  return [...lines, ...changes(emptyRuleset, rules)].join('\n') + '\n'
}

export const emptyRuleset: Ruleset = {
  maps: {
    'service-ips': new Map(),
    'service-nodeports': new Map(),
    'no-endpoint-services': new Map(),
    'no-endpoint-nodeports': new Map(),
  },
  affinities: new Map(),
  chains: new Map(),
}

/** Empty when nothing changed. */
export function updateScript(old: Ruleset, rules: Ruleset): string {
  const lines = changes(old, rules)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function changes(old: Ruleset, rules: Ruleset): string[] {
  const lines: string[] = []
  // Order matters inside a transaction too: what is referred to comes first and goes last.
  for (const [name, seconds] of rules.affinities)
    if (!old.affinities.has(name))
      lines.push(`add set ${table} ${name} { type ipv4_addr; flags dynamic,timeout; timeout ${String(seconds)}s; }`)
  const changed = [...rules.chains].filter(([name, body]) => old.chains.get(name)?.join('\n') !== body.join('\n'))
  for (const [name] of changed) lines.push(`add chain ${table} ${name}`)
  for (const [name] of changed) if (old.chains.has(name)) lines.push(`flush chain ${table} ${name}`)
  for (const [name, body] of changed) for (const rule of body) lines.push(`add rule ${table} ${name} ${rule}`)
  for (const name of mapNames) {
    const before = old.maps[name]
    const after = rules.maps[name]
    const gone = [...before].filter(([key, verdict]) => after.get(key) !== verdict)
    const fresh = [...after].filter(([key, verdict]) => before.get(key) !== verdict)
    if (gone.length > 0) lines.push(`delete element ${table} ${name} { ${gone.map(([key]) => key).join(', ')} }`)
    if (fresh.length > 0)
      lines.push(`add element ${table} ${name} { ${fresh.map(([key, verdict]) => `${key} : ${verdict}`).join(', ')} }`)
  }
  const removed = [...old.chains.keys()].filter((name) => !rules.chains.has(name))
  for (const name of removed) lines.push(`flush chain ${table} ${name}`)
  for (const name of removed) lines.push(`delete chain ${table} ${name}`)
  for (const name of old.affinities.keys()) if (!rules.affinities.has(name)) lines.push(`delete set ${table} ${name}`)
  return lines
}
