// Image references as Docker and containerd read them (github.com/distribution/reference): "hello" is docker.io/library/hello:latest.
// Pure; the error texts are those that kubectl users see on any cluster.

export interface ImageReference {
  /** "docker.io", "registry.k8s.io", "localhost:5000" */
  domain: string
  /** "library/hello" */
  path: string
  tag?: string
  digest?: string
}

export class BadReference extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'BadReference'
  }
}

const defaultDomain = 'docker.io'
const legacyDomain = 'index.docker.io'
const officialPrefix = 'library/'
const maxNameLength = 255

// The grammar of distribution/reference, bottom up.
const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const domain = `(?:${domainComponent}(?:\\.${domainComponent})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`
const pathComponent = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*'
const remotePath = `${pathComponent}(?:/${pathComponent})*`
const tag = '[\\w][\\w.-]{0,127}'
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const referencePattern = new RegExp(`^(${domain})/(${remotePath})(?::(${tag}))?(?:@(${digest}))?$`)
const identifierPattern = /^[a-f0-9]{64}$/
export const tagPattern = new RegExp(`^${tag}$`)
export const pathPattern = new RegExp(`^${remotePath}$`)

/** Parses a name as users write it. Throws BadReference with upstream's words. Neither tag nor digest is added. */
export function parseReference(text: string): ImageReference {
  if (identifierPattern.test(text))
    throw new BadReference(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  const split = splitDomain(text)
  const colon = split.remainder.indexOf(':')
  const remote = colon === -1 ? split.remainder : split.remainder.slice(0, colon)
  if (remote.toLowerCase() !== remote)
    throw new BadReference(`invalid reference format: repository name (${remote}) must be lowercase`)
  const match = referencePattern.exec(`${split.domain}/${split.remainder}`)
  if (match?.[1] === undefined || match[2] === undefined) throw new BadReference('invalid reference format')
  if (match[2].length > maxNameLength)
    throw new BadReference(`repository name must not be more than ${maxNameLength} characters`)
  if (match[4] !== undefined) validateDigest(match[4])
  return {
    domain: match[1],
    path: match[2],
    ...(match[3] === undefined ? {} : { tag: match[3] }),
    ...(match[4] === undefined ? {} : { digest: match[4] }),
  }
}

/** As parseReference; without tag and digest the tag is "latest". */
export function parseImageName(text: string): ImageReference {
  const reference = parseReference(text)
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: 'latest' } : reference
}

/** "docker.io/library/hello:1.0" */
export function formatReference(reference: ImageReference): string {
  return `${repositoryOf(reference)}${reference.tag === undefined ? '' : `:${reference.tag}`}${reference.digest === undefined ? '' : `@${reference.digest}`}`
}

export const repositoryOf = (reference: ImageReference): string => `${reference.domain}/${reference.path}`

/** The shortest way to write it: "hello:1.0" for docker.io/library/hello:1.0. */
export function familiarName(name: string): string {
  if (name.startsWith(`${defaultDomain}/${officialPrefix}`))
    return name.slice(defaultDomain.length + 1 + officialPrefix.length)
  return name.startsWith(`${defaultDomain}/`) ? name.slice(defaultDomain.length + 1) : name
}

const digestLengths: Record<string, number> = { sha256: 64, sha384: 96, sha512: 128 }

function validateDigest(value: string): void {
  const colon = value.indexOf(':')
  const length = digestLengths[value.slice(0, colon)]
  if (length === undefined) throw new BadReference('unsupported digest algorithm')
  const hex = value.slice(colon + 1)
  if (hex.length !== length) throw new BadReference('invalid checksum digest length')
  if (!/^[a-f0-9]+$/.test(hex)) throw new BadReference('invalid checksum digest format')
}

/** The first part is a domain when it looks like one: "localhost", a dot, a colon, or a capital letter in it. */
function splitDomain(name: string): { domain: string; remainder: string } {
  const slash = name.indexOf('/')
  const first = slash === -1 ? '' : name.slice(0, slash)
  const isDomain = slash !== -1 && (first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first)
  const chosen = isDomain ? (first === legacyDomain ? defaultDomain : first) : defaultDomain
  const remainder = isDomain ? name.slice(slash + 1) : name
  return {
    domain: chosen,
    remainder: chosen === defaultDomain && !remainder.includes('/') ? `${officialPrefix}${remainder}` : remainder,
  }
}
