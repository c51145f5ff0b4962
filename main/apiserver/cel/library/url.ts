// url() of the Kubernetes library.
import { CelError, LiteralMap, Opaque } from '../values.ts'
import { declare, type Overload, traversal } from './declare.ts'

interface Parts {
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string
}

/** Go's ParseRequestURI: an absolute address, or a path from the root. */
function readUrl(text: string): Parts | undefined {
  if (/[\u0000- \u007f]/.test(text)) return undefined
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/([^/?]*))?)?(\/[^?]*)?(?:\?(.*))?$/s.exec(text)
  if (match === null) return undefined
  const [, scheme = '', authority, path = '', query = ''] = match
  if (scheme === '' && path === '') return undefined
  const host = (authority ?? '').replace(/^.*@/, '')
  if (/%(?![0-9A-Fa-f]{2})/.test(path) || !/^(?:\[[0-9A-Fa-f:.%]+\]|[^[\]:]*)(?::\d*)?$/.test(host)) return undefined
  return { scheme: scheme.toLowerCase(), host, path, query }
}

type Url = Opaque<Parts>

function requireUrl(text: string): Url {
  const parts = readUrl(text)
  if (parts === undefined)
    throw new CelError(
      `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
    )
  return new Opaque('kubernetes.URL', parts, text)
}

function unescape(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

function queryOf({ value }: Url): LiteralMap {
  const map = new LiteralMap()
  const found = new Map<string, string[]>()
  new URLSearchParams(value.query).forEach((text, name) => {
    found.set(name, [...(found.get(name) ?? []), text])
  })
  for (const [name, texts] of found) map.set(name, texts)
  return map
}

export const urls: readonly Overload[] = [
  declare('url(string): kubernetes.URL', requireUrl, traversal),
  declare('isURL(string): bool', (text: string) => readUrl(text) !== undefined, traversal),
  declare('kubernetes.URL.getScheme(): string', ({ value }: Url) => value.scheme),
  declare('kubernetes.URL.getHost(): string', ({ value }: Url) => value.host),
  declare('kubernetes.URL.getHostname(): string', ({ value }: Url) =>
    value.host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1'),
  ),
  declare('kubernetes.URL.getPort(): string', ({ value }: Url) => /:(\d*)$/.exec(value.host)?.[1] ?? ''),
  declare('kubernetes.URL.getEscapedPath(): string', ({ value }: Url) => encodeURI(unescape(value.path))),
  declare('kubernetes.URL.getQuery(): map<string, list<string>>', queryOf),
]
