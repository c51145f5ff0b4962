// --runtime-config: which groups, versions and resources are served. The general keys come first, whatever the order they are given in.
import { goBoolean } from './flags/feature-gates.ts'

const stability: readonly (readonly [key: string, matches: (version: string) => boolean])[] = [
  ['api/all', () => true],
  ['api/ga', (version) => /^v\d+$/.test(version)],
  ['api/beta', (version) => version.includes('beta')],
  ['api/alpha', (version) => version.includes('alpha')],
]
const generalKeys = new Set(stability.map(([key]) => key))

interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
}

/** "a/v1=true,b/v1/things=false"; a key alone is true. */
export function parseRuntimeConfig(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .map((part) => {
        const [key = '', value = ''] = part.split('=', 2).map((each) => each.trim())
        return [key, value]
      }),
  )
}

/** Throws Error in upstream's words. `groups`: all there are. */
export function servedResources(
  config: Readonly<Record<string, string>>,
  groups: ReadonlySet<string>,
): (resource: Resource) => boolean {
  if (config['api/all'] === 'false' && Object.keys(config).length === 1)
    throw new Error('invalid runtime-config with only api/all=false')
  const general = new Map<string, boolean>()
  const special = new Map<string, boolean>()
  const unknown: string[] = []
  for (const [key, value] of Object.entries(config)) {
    const on = value === '' ? true : goBoolean(value)
    if (generalKeys.has(key)) {
      if (value !== 'true' && value !== 'false') throw new Error(`invalid value ${key}=${value}`)
      general.set(key, value === 'true')
      continue
    }
    const [group, version, resource] = key === 'v1' ? ['', 'v1'] : key.split('/')
    if (group === undefined || version === undefined || group === 'api' || key.split('/').length > 3)
      throw new Error(`runtime-config invalid key ${key}`)
    if (on === undefined)
      throw new Error(
        `invalid value of ${key}: ${value}, err: strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`,
      )
    if (!groups.has(group)) unknown.push(`${group}/${version}`)
    special.set([group, version, ...(resource === undefined ? [] : [resource])].join('/'), on)
  }
  if (unknown.length > 0) throw new Error(`unknown api groups ${unknown.sort().join(',')}`)
  return ({ group, version, plural }) => {
    const exact = special.get(`${group}/${version}/${plural}`) ?? special.get(`${group}/${version}`)
    if (exact !== undefined) return exact
    const last = stability.findLast(([key, matches]) => general.has(key) && matches(version))
    return last === undefined || general.get(last[0]) === true
  }
}
