// What the issuer of an AuthenticationConfiguration must be, in upstream's words. Throws at the first thing that is wrong.
import { X509Certificate } from 'node:crypto'
import { messageOf } from '../flag-files.ts'

export interface ConfiguredIssuer {
  readonly url?: string
  readonly discoveryURL?: string
  readonly certificateAuthority?: string
  readonly audiences?: readonly string[]
  readonly audienceMatchPolicy?: string
}

export const invalid = (path: string, value: string, why: string): Error =>
  new Error(`${path}: Invalid value: ${JSON.stringify(value)}: ${why}`)
export const duplicate = (path: string, value: string): Error =>
  new Error(`${path}: Duplicate value: ${JSON.stringify(value)}`)

export function checkIssuerUrl(path: string, text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:') throw invalid(path, text, 'URL scheme must be https')
  if (url.username !== '' || url.password !== '')
    throw invalid(path, text, 'URL must not contain a username or password')
  if (url.search !== '') throw invalid(path, text, 'URL must not contain a query')
  if (url.hash !== '') throw invalid(path, text, 'URL must not contain a fragment')
}

export function checkIssuer(
  path: string,
  {
    url = '',
    discoveryURL = '',
    certificateAuthority = '',
    audiences = [],
    audienceMatchPolicy = '',
  }: ConfiguredIssuer,
): void {
  if (url === '') throw new Error(`${path}.url: Required value: URL is required`)
  checkIssuerUrl(`${path}.url`, url)
  if (discoveryURL !== '') {
    if (discoveryURL.replace(/\/+$/, '') === url.replace(/\/+$/, ''))
      throw invalid(`${path}.discoveryURL`, discoveryURL, 'discoveryURL must be different from URL')
    checkIssuerUrl(`${path}.discoveryURL`, discoveryURL)
  }
  if (audiences.length === 0)
    throw new Error(`${path}.audiences: Required value: at least one ${path}.audiences is required`)
  for (const [index, audience] of audiences.entries()) {
    const at = `${path}.audiences[${String(index)}]`
    if (audience === '') throw new Error(`${at}: Required value: audience can't be empty`)
    if (audiences.indexOf(audience) < index) throw duplicate(at, audience)
  }
  const policyPath = `${path}.audienceMatchPolicy`
  if (audiences.length > 1 && audienceMatchPolicy !== 'MatchAny')
    throw invalid(policyPath, audienceMatchPolicy, 'audienceMatchPolicy must be MatchAny for multiple audiences')
  if (audienceMatchPolicy !== '' && audienceMatchPolicy !== 'MatchAny')
    throw invalid(policyPath, audienceMatchPolicy, 'audienceMatchPolicy must be empty or MatchAny for single audience')
  if (certificateAuthority === '') return
  try {
    new X509Certificate(certificateAuthority)
  } catch (error) {
    const why = `data does not contain any valid RSA or ECDSA certificates`
    throw new Error(`${path}.certificateAuthority: Invalid value: "<omitted>": ${why} (${messageOf(error)})`, {
      cause: error,
    })
  }
}
