// Field numbers of application/vnd.kubernetes.protobuf, which kubectl and client-go speak by default: read at build time from the struct
// tags of Kubernetes' own API types (Debian packages golang-k8s-*-dev) into build/generated/kubernetes-protobuf.json.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WireFacts, WireField, WireMessage, WireType } from '../../main/apiserver/protobuf/wire-facts.ts'
import { defaultCache } from '../../main/engine/paths.ts'
import { openArchive } from '../../vm-images/debian/archive.ts'
import { unpackDeb } from '../../vm-images/debian/deb.ts'

const packages = [
  'golang-k8s-api-dev',
  'golang-k8s-apimachinery-dev',
  'golang-k8s-apiextensions-apiserver-dev',
  'golang-k8s-metrics-dev',
]
/** Types of released versions of these folders; the rest of the packages is Go's own business. */
const typesPath =
  /k8s\.io\/(?:api\/(\w+\/v\w+)|apimachinery\/pkg\/apis\/(meta\/v1)|apiextensions-apiserver\/pkg\/apis\/(apiextensions\/v1)|metrics\/pkg\/apis\/(metrics\/v1beta1))\/(?!\w*_(?:test|swagger))[a-z_]+\.go$/

const special: Record<string, WireType> = {
  'meta/v1.Time': 'time',
  'meta/v1.MicroTime': 'micro-time',
  'meta/v1.Duration': 'duration',
  'resource.Quantity': 'quantity',
  'intstr.IntOrString': 'int-or-string',
  'runtime.RawExtension': 'raw',
  'meta/v1.FieldsV1': 'raw',
  'apiextensions/v1.JSON': 'raw',
  'apiextensions/v1.JSONSchemaPropsOrArray': 'schema-or-array',
  'apiextensions/v1.JSONSchemaPropsOrBool': 'schema-or-bool',
  'apiextensions/v1.JSONSchemaPropsOrStringArray': 'schema-or-strings',
}
const scalars: Record<string, WireType> = {
  string: 'string',
  bool: 'bool',
  int32: 'int',
  int64: 'int',
  uint32: 'int',
  int: 'int',
  byte: 'int',
  float64: 'double',
}

const required = (name: string, type: WireType): WireField => ({ name, type })
const optional = (name: string, type: WireType): WireField => ({ name, type, omitZero: true })
/** apiregistration.k8s.io/v1 is in no package; its numbers are those of kube-aggregator's generated.proto. */
const apiRegistration: Record<string, WireMessage> = {
  'apiregistration/v1.ServiceReference': {
    fields: { 1: optional('namespace', 'string'), 2: optional('name', 'string'), 3: required('port', 'int') },
  },
  'apiregistration/v1.APIServiceSpec': {
    fields: {
      1: required('service', 'm:apiregistration/v1.ServiceReference'),
      2: optional('group', 'string'),
      3: optional('version', 'string'),
      4: optional('insecureSkipTLSVerify', 'bool'),
      5: optional('caBundle', 'bytes'),
      7: required('groupPriorityMinimum', 'int'),
      8: required('versionPriority', 'int'),
    },
  },
  'apiregistration/v1.APIServiceCondition': {
    fields: {
      1: required('type', 'string'),
      2: required('status', 'string'),
      3: optional('lastTransitionTime', 'time'),
      4: optional('reason', 'string'),
      5: optional('message', 'string'),
    },
  },
  'apiregistration/v1.APIServiceStatus': {
    fields: { 1: { ...optional('conditions', 'm:apiregistration/v1.APIServiceCondition'), repeated: true } },
  },
  'apiregistration/v1.APIService': {
    fields: {
      1: optional('metadata', 'm:meta/v1.ObjectMeta'),
      2: optional('spec', 'm:apiregistration/v1.APIServiceSpec'),
      3: optional('status', 'm:apiregistration/v1.APIServiceStatus'),
    },
  },
  'apiregistration/v1.APIServiceList': {
    fields: {
      1: optional('metadata', 'm:meta/v1.ListMeta'),
      2: { ...required('items', 'm:apiregistration/v1.APIService'), repeated: true },
    },
  },
}

const newestMessages = [
  'metrics/v1beta1.PodMetrics',
  'apiregistration/v1.APIService',
  'apiextensions/v1.CustomResourceSubresourceStatus',
]

interface GoPackage {
  name: string
  aliases: Map<string, string>
  structs: Map<string, string>
  named: Map<string, string>
}

function parseGo(name: string, text: string, into: Map<string, GoPackage>): void {
  const result = into.get(name) ?? {
    name,
    aliases: new Map<string, string>(),
    structs: new Map<string, string>(),
    named: new Map<string, string>(),
  }
  into.set(name, result)
  const imports = /import \(([\s\S]*?)\n\)/.exec(text)?.[1] ?? ''
  for (const [, alias, path = ''] of imports.matchAll(/^\s*(\w+)?\s*"(k8s\.io\/[^"]+)"/gm)) {
    const folder = /(\w+\/v\w+)$/.exec(path)?.[1] ?? path.split('/').at(-1) ?? ''
    result.aliases.set(alias ?? path.split('/').at(-1) ?? '', folder)
  }
  for (const [, type = '', body = ''] of text.matchAll(/^type (\w+) struct \{\n([\s\S]*?)^\}/gm))
    result.structs.set(type, body)
  for (const [, type = ''] of text.matchAll(/^type (\w+) struct ?\{\s*\}$/gm)) result.structs.set(type, '')
  for (const [, type = '', target = ''] of text.matchAll(/^type (\w+) (?!struct)=? ?([\w.[\]*]+)$/gm))
    result.named.set(type, target)
}

class Translator {
  readonly messages: Record<string, WireMessage> = {}
  readonly #packages: Map<string, GoPackage>

  constructor(packages: Map<string, GoPackage>) {
    this.#packages = packages
    for (const each of packages.values()) {
      for (const [type, body] of each.structs) this.#message(each, type, body)
      for (const [type, target] of each.named) {
        // A named list that is a message on the wire: {repeated items = 1}.
        if (target.startsWith('[]') && target !== '[]byte')
          this.messages[`${each.name}.${type}`] = {
            list: true,
            fields: { 1: { name: 'items', repeated: true, type: this.#resolve(each, target.slice(2)).type } },
          }
      }
    }
  }

  #message(home: GoPackage, type: string, body: string): void {
    const fields: Record<string, WireField> = {}
    for (const [, goType = '', json = '', tag = ''] of body.matchAll(
      /^\s*(?:\w+\s+)?([\w.*[\]]+)\s+`.*?json:"([^"]*)".*?protobuf:"([^"]*)".*?`/gm,
    )) {
      const number = tag.split(',')[1]
      const [name = '', ...options] = json.split(',')
      if (number === undefined || name === '-') continue
      const field = this.#field(home, goType)
      if (!options.includes('inline') && name !== '') field.name = name
      if (options.includes('omitempty') && !goType.startsWith('*')) field.omitZero = true
      fields[number] = field
    }
    this.messages[`${home.name}.${type}`] = { fields }
  }

  #field(home: GoPackage, goType: string): WireField {
    const bare = goType.replace(/^\*/, '')
    const { type, collection, list } = this.#resolve(home, bare)
    return {
      type: list === undefined ? type : `m:${list}`,
      ...(collection === 'list' ? { repeated: true as const } : {}),
      ...(collection === 'map' ? { map: true as const } : {}),
    }
  }

  #resolve(home: GoPackage, goType: string): { type: WireType; collection?: 'list' | 'map'; list?: string } {
    if (goType === '[]byte') return { type: 'bytes' }
    if (goType.startsWith('[]'))
      return { type: this.#value(home, goType.slice(2).replace(/^\*/, '')), collection: 'list' }
    const map = /^map\[[\w.]+\](.+)$/.exec(goType)
    if (map) return { type: this.#value(home, (map[1] ?? '').replace(/^\*/, '')), collection: 'map' }
    if (scalars[goType]) return { type: scalars[goType] }
    const { owner, name, full } = this.#lookup(home, goType)
    if (special[full]) return { type: special[full] }
    const target = owner?.named.get(name)
    if (owner && target !== undefined) {
      const inner = this.#resolve(owner, target)
      return inner.collection === 'list' ? { type: inner.type, list: full } : inner
    }
    return owner?.structs.has(name) ? { type: `m:${full}` } : { type: 'string' }
  }

  #value(home: GoPackage, goType: string): WireType {
    const { type, list } = this.#resolve(home, goType)
    return list === undefined ? type : `m:${list}`
  }

  #lookup(home: GoPackage, goType: string): { owner: GoPackage | undefined; name: string; full: string } {
    const [first = '', second] = goType.split('.')
    const folder = second === undefined ? home.name : (home.aliases.get(first) ?? first)
    const name = second ?? first
    return { owner: this.#packages.get(folder), name, full: `${folder}.${name}` }
  }
}

const output = fileURLToPath(new URL('../../build/generated/kubernetes-protobuf.json', import.meta.url))

/** Makes the table when it is not there yet; resolves with what it was made from. */
export async function ensureKubernetesProtobuf(onStep: (step: string) => void = () => undefined): Promise<string> {
  if (existsSync(output)) {
    const { source, messages } = JSON.parse(await readFile(output, 'utf8')) as WireFacts
    // A table made before these were part of it is made again.
    if (newestMessages.every((name) => name in messages)) return source
  }
  const archive = await openArchive({ suite: 'sid', cache: defaultCache(), onStep })
  const resolved = await archive.resolve('amd64', packages)
  const debs = await archive.fetch(resolved)
  const work = await mkdtemp(join(tmpdir(), 'orrery-protobuf-'))
  try {
    const go = new Map<string, GoPackage>()
    for (const deb of debs.values()) {
      for (const path of await unpackDeb({ deb, folder: work, accept: (candidate) => typesPath.test(candidate) })) {
        const match = typesPath.exec(path)
        const name = match?.slice(1).find((part) => part !== undefined)
        if (name !== undefined) parseGo(name, await readFile(existsSync(path) ? path : join(work, path), 'utf8'), go)
      }
    }
    const source = resolved.map(({ name, version }) => `${name} ${version}`).join(', ')
    const facts: WireFacts = { source, messages: { ...apiRegistration, ...new Translator(go).messages } }
    if (facts.messages['core/v1.Pod'] === undefined || facts.messages['meta/v1.ObjectMeta'] === undefined)
      throw new Error('the Kubernetes packages hold no API types where they were expected')
    await mkdir(dirname(output), { recursive: true })
    await writeFile(output, JSON.stringify(facts))
    return source
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
