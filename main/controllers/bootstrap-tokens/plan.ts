// Pure: tokens by which nodes join, kept as secrets, and what they sign: the address and authority of the cluster, for those who know
// a token and nothing else yet.
import { createHmac } from 'node:crypto'
import type { ConfigMap, Secret } from '../../../common/api/generated/types.ts'

export const tokenNamespace = 'kube-system'
const tokenType = 'bootstrap.kubernetes.io/token'
const namePrefix = 'bootstrap-token-'
const signaturePrefix = 'jws-kubeconfig-'

export const isToken = ({ metadata, type }: Secret): boolean =>
  metadata.namespace === tokenNamespace && type === tokenType

function field({ data }: Secret, name: string): string {
  return Buffer.from(data?.[name] ?? '', 'base64').toString('utf8')
}

/** Milliseconds until the token ends, 0 when it has; undefined: it does not. What cannot be read has ended. */
export function leftMs(secret: Secret, nowMs: number): number | undefined {
  const text = field(secret, 'expiration')
  if (text === '') return undefined
  const at = /^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? 0 : Math.max(0, at - nowMs)
}

/** The config map with the signatures of all tokens that may sign; undefined when it has them. */
export function planSignatures(info: ConfigMap, secrets: readonly Secret[], nowMs: number): ConfigMap | undefined {
  const content = info.data?.['kubeconfig']
  if (content === undefined) return undefined
  const unsigned = Object.entries(info.data ?? {}).filter(([key]) => !key.startsWith(signaturePrefix))
  const signatures = secrets
    .filter((secret) => isToken(secret) && maySign(secret, nowMs))
    .map((secret) => {
      const id = field(secret, 'token-id')
      return [signaturePrefix + id, sign(content, id, field(secret, 'token-secret'))] as const
    })
  const data = Object.fromEntries([...unsigned, ...signatures])
  const isSame =
    Object.keys(data).length === Object.keys(info.data ?? {}).length &&
    Object.entries(data).every(([key, value]) => info.data?.[key] === value)
  return isSame ? undefined : { ...info, data }
}

function maySign(secret: Secret, nowMs: number): boolean {
  const id = field(secret, 'token-id')
  return (
    id !== '' &&
    field(secret, 'token-secret') !== '' &&
    secret.metadata.name === namePrefix + id &&
    field(secret, 'usage-bootstrap-signing') === 'true' &&
    leftMs(secret, nowMs) !== 0
  )
}

/** RFC 7515 with the content left out (appendix F): who checks it has the content. */
function sign(content: string, id: string, secret: string): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64url')
  const header = encode(JSON.stringify({ alg: 'HS256', kid: id }))
  const signature = createHmac('sha256', secret)
    .update(`${header}.${encode(content)}`)
    .digest('base64url')
  return `${header}..${signature}`
}
