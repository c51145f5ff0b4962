// docs/reference/kubernetes-support.md: what of Kubernetes is served here. Nothing in it is claimed by hand: the left side is upstream's
// own list of resources (common/api/generated/resources.ts), the right side is what a running API server says of itself, and the lists of
// admission plugins and controllers are those the program runs.
// Usage: node scripts/generate/support-page.ts [--check]
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ResourceFact } from '../../common/api/facts.ts'
import { resources } from '../../common/api/generated/resources.ts'
import { admissionPlugins } from '../../main/apiserver/admission/plugins.ts'
import { startTestServer, type TestServer } from '../../main/apiserver/testing/test-server.ts'
import { controllerList } from '../../main/controllers/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = join(root, 'docs', 'reference', 'kubernetes-support.md')

interface Served {
  resource: string
  responseKind: { kind: string }
  scope: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  subresources?: { subresource: string; verbs: string[] }[]
}
interface Discovery {
  items: { metadata: { name?: string }; versions: { version: string; resources: Served[] }[] }[]
}

const idOf = (group: string, version: string, plural: string): string =>
  `${group === '' ? version : `${group}/${version}`}/${plural}`

async function readDiscovery(server: TestServer): Promise<Map<string, Served>> {
  const served = new Map<string, Served>()
  for (const path of ['/api', '/apis']) {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const { body } = await server.call<Discovery>(path, { headers: { accept } })
    for (const { metadata, versions } of body.items)
      for (const { version, resources: each } of versions)
        for (const resource of each) served.set(idOf(metadata.name ?? '', version, resource.resource), resource)
  }
  return served
}

/** Column names as `kubectl get` shows them; those of -o wide in parentheses. */
async function columnsOf(server: TestServer, { group, version, plural }: ResourceFact): Promise<string> {
  const { status, body } = await server.call<{ columnDefinitions?: { name: string; priority: number }[] }>(
    `/${group === '' ? 'api' : `apis/${group}`}/${version}/${plural}?limit=1`,
    { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } },
  )
  if (status !== 200) return ''
  return (body.columnDefinitions ?? []).map(({ name, priority }) => (priority > 0 ? `(${name})` : name)).join(', ')
}

const suites: readonly { name: string; folder: string }[] = [
  { name: 'kind', folder: 'main/kinds' },
  { name: 'API', folder: 'main/apiserver' },
  { name: 'behaviour', folder: 'main/controllers' },
  { name: 'scheduling', folder: 'main/scheduler' },
  { name: 'kubectl', folder: 'tests/integration/kubectl' },
  { name: 'wire', folder: 'tests/integration/api' },
  { name: 'clients', folder: 'tests/integration/clients' },
  { name: 'VMs', folder: 'tests/e2e' },
]

function testTexts(): { name: string; text: string }[] {
  return suites.map(({ name, folder }) => ({
    name,
    text: readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.test\.ts$|client\.py$/.test(file))
      .map((file) => readFileSync(join(root, folder, file), 'utf8'))
      .join('\n'),
  }))
}

/** Suites whose tests name the kind, its plural or its definition; every served kind is fuzzed besides. */
function testedBy({ kind, plural }: ResourceFact, texts: readonly { name: string; text: string }[]): string {
  const words = new RegExp(`\\b(${kind}|${plural}|${kind[0]?.toLowerCase() ?? ''}${kind.slice(1)})\\b`)
  return texts
    .filter(({ text }) => words.test(text))
    .map(({ name }) => name)
    .join(', ')
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

/** What upstream has and the server does not say it has. */
function missingOf(fact: ResourceFact, served: Served): string[] {
  const verbs = fact.verbs.filter((verb) => !served.verbs.includes(verb))
  const subresources = Object.entries(fact.subresources ?? {}).flatMap(([name, { verbs: wanted }]) => {
    const found = served.subresources?.find(({ subresource }) => subresource === name)
    if (found === undefined) return [`/${name}`]
    // Connecting is said by the verbs of HTTP in discovery documents.
    return wanted.filter((verb) => verb !== 'connect' && !found.verbs.includes(verb)).map((verb) => `${verb} /${name}`)
  })
  return [...verbs, ...subresources]
}

async function render(server: TestServer): Promise<string> {
  const served = await readDiscovery(server)
  const texts = testTexts()
  const facts = Object.entries(resources).sort(([a], [b]) => (a < b ? -1 : 1))
  const rows: string[][] = []
  const count = { yes: 0, partial: 0, no: 0, early: 0 }
  for (const [id, fact] of facts) {
    const found = served.get(idOf(fact.group, fact.version, fact.plural))
    const missing = found === undefined ? [] : missingOf(fact, found)
    const state = found === undefined ? 'no' : missing.length > 0 ? 'partial' : 'yes'
    const early = /alpha|beta/.test(fact.version)
    count[state === 'no' && early ? 'early' : state] += 1
    rows.push([
      `\`${id}\``,
      fact.kind,
      state === 'partial' ? `partial: without ${missing.join(', ')}` : state === 'no' && early ? 'no (early)' : state,
      (found?.subresources ?? []).map(({ subresource }) => subresource).join(', '),
      (found?.shortNames ?? []).join(', '),
      (found?.categories ?? []).join(', '),
      found?.verbs.includes('list') === true ? await columnsOf(server, fact) : '',
      found === undefined ? '' : testedBy(fact, texts),
    ])
  }
  const own = [...served.keys()].filter((id) => !(id in resources)).sort()
  return `# What of Kubernetes is served

Made by \`node scripts/generate/support-page.ts\` from upstream's list of resources and from what a running API server says of itself;
\`npm run check\` fails when it is stale. "Yes" means that every verb and subresource of upstream's document is served. "Tested by" names the
suites whose tests name the kind; the fuzzer sends random objects of every served kind through every verb.

${String(facts.length)} resources upstream: ${String(count.yes)} yes, ${String(count.partial)} partial, ${String(count.no)} no; besides ${String(count.early)}
alpha and beta ones, which upstream serves only on demand and which are not served here ("early").

## Resources

${table(['resource', 'kind', 'served', 'subresources', 'short names', 'categories', 'columns (wide)', 'tested by'], rows)}

Own resources besides: ${own.map((id) => `\`${id}\``).join(', ')}.

## Admission plugins

In the order in which they run.

${table(
  ['plugin', 'on unless disabled'],
  admissionPlugins.map(({ name, defaultOn }) => [name, defaultOn ? 'yes' : 'no']),
)}

## Controllers

${table(
  ['controller', 'on unless disabled'],
  controllerList.map(({ name, onByDefault }) => [name, onByDefault ? 'yes' : 'no']),
)}

## Wire formats

${table(['what', 'formats'], await wireFormats(server))}
`
}

/** Spoken with those who ask, and named to nobody: upstream keeps it behind a gate. */
const cbor = ['application/cbor', 'application/apply-patch+cbor'] as const

/** Asked of the server: what it says it takes when it is offered nothing it knows, and what it takes besides. */
async function wireFormats(server: TestServer): Promise<string[][]> {
  const maps = '/api/v1/namespaces/default/configmaps'
  const told = async (what: string, path: string, options: Parameters<TestServer['call']>[1]): Promise<string[]> => {
    const { body } = await server.call<{ message: string }>(path, options)
    return [what, body.message.slice(body.message.lastIndexOf(': ') + 2)]
  }
  const also = async (type: string, path: string, options: Parameters<TestServer['call']>[1]): Promise<string> => {
    const { status } = await server.call(path, options)
    return status === 406 || status === 415 ? '' : `, ${type}`
  }
  const unknown = { 'content-type': 'text/nothing' }
  const rows: [what: string, path: string, options: NonNullable<Parameters<TestServer['call']>[1]>, besides: string][] =
    [
      ['answers', maps, { headers: { accept: 'text/nothing' } }, cbor[0]],
      ['bodies', maps, { method: 'POST', body: '{}', headers: unknown }, cbor[0]],
      ['patches', `${maps}/x`, { method: 'PATCH', body: '{}', headers: unknown }, cbor[1]],
    ]
  return Promise.all(
    rows.map(async ([what, path, options, besides]) => {
      const [header = ''] = Object.keys(options.headers ?? {})
      const [name = '', formats = ''] = await told(what, path, options)
      return [name, formats + (await also(besides, path, { ...options, headers: { [header]: besides } }))]
    }),
  )
}

const server = await startTestServer()
let text: string
try {
  text = await render(server)
} finally {
  await server.close()
}
if (process.argv.includes('--check')) {
  let present = ''
  try {
    present = readFileSync(page, 'utf8')
  } catch {
    // None yet is as stale as an old one.
  }
  if (present !== text) {
    process.stdout.write(`${page} is stale. Run: node scripts/generate/support-page.ts\n`)
    process.exitCode = 1
  }
} else {
  mkdirSync(dirname(page), { recursive: true })
  writeFileSync(page, text)
}
