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

const packages = ['golang-k8s-api-dev', 'golang-k8s-apimachinery-dev', 'golang-k8s-apiextensions-apiserver-dev']
/** Types of released versions of these folders; the rest of the packages is Go's own business. */
const typesPath =
  /k8s\.io\/(?:api\/(\w+\/v\w+)|apimachinery\/pkg\/apis\/(meta\/v1)|apiextensions-apiserver\/pkg\/apis\/(apiextensions\/v1))\/(?!\w*_(?:test|swagger))[a-z_]+\.go$/

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
  if (existsSync(output)) return (JSON.parse(await readFile(output, 'utf8')) as WireFacts).source
  const archive = await openArchive({ suite: 'sid', cache: defaultCache(), onStep })
  const resolved = await archive.resolve('amd64', packages)
  const debs = await archive.fetch(resolved)
  const work = await mkdtemp(join(tmpdir(), 'orrery-protobuf-'))
  try {
    const go = new Map<string, GoPackage>()
    for (const deb of debs.values()) {
      for (const path of await unpackDeb({ deb, folder: work, accept: (candidate) => typesPath.test(candidate) })) {
        const match = typesPath.exec(path)
        const name = match?.[1] ?? match?.[2] ?? match?.[3]
        if (name !== undefined) parseGo(name, await readFile(existsSync(path) ? path : join(work, path), 'utf8'), go)
      }
    }
    const source = resolved.map(({ name, version }) => `${name} ${version}`).join(', ')
    const facts: WireFacts = { source, messages: new Translator(go).messages }
    if (facts.messages['core/v1.Pod'] === undefined || facts.messages['meta/v1.ObjectMeta'] === undefined)
      throw new Error('the Kubernetes packages hold no API types where they were expected')
    await mkdir(dirname(output), { recursive: true })
    await writeFile(output, JSON.stringify(facts))
    return source
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
