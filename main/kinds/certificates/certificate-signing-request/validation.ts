// Validation of CertificateSigningRequests: the request itself, and who may say what about it through which door.
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition as Condition,
} from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import { byteLength, validateDnsLabel, validateDnsSubdomain } from '../../../../common/machinery/names.ts'
import { describeChange } from '../../describe-change.ts'
import { semanticEqual } from '../../equality.ts'
import { problemOfRequest } from './pkcs10.ts'

const usages = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
const legacySigner = 'kubernetes.io/legacy-unknown'
const minSeconds = 600

/** What may be said through a door: only "approval" judges, only "status" issues. */
export type Door = 'main' | 'status' | 'approval'

export function checkRequest(csr: CertificateSigningRequest, old?: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = []
  const { request = '', usages: wanted = [], signerName = '', expirationSeconds } = csr.spec ?? {}
  const problem = problemOfRequest(decodeBase64(request))
  if (problem !== undefined) errors.push(invalidValue('spec.request', request, problem))
  if (wanted.length === 0) errors.push(required('spec.usages'))
  const before = old?.spec?.usages ?? []
  const toleratesUnknown = before.some((usage) => !usages.includes(usage))
  const toleratesRepeated = new Set(before).size < before.length
  const seen = new Set<string>()
  wanted.forEach((usage, index) => {
    const at = `spec.usages[${String(index)}]`
    if (!toleratesUnknown && !usages.includes(usage)) errors.push(notSupported(at, usage, usages))
    if (!toleratesRepeated && seen.has(usage)) errors.push(duplicate(at, usage))
    seen.add(usage)
  })
  if (signerName === legacySigner && old?.spec?.signerName !== legacySigner) {
    const detail = 'the legacy signerName is not allowed via this API version'
    errors.push(invalidValue('spec.signerName', signerName, detail))
  } else checkSignerName(errors, 'spec.signerName', signerName)
  if (expirationSeconds !== undefined && expirationSeconds < minSeconds) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)'
    errors.push(invalidValue('spec.expirationSeconds', expirationSeconds, detail))
  }
  checkConditions(errors, csr.status?.conditions ?? [], old?.status?.conditions ?? [])
  const certificate = csr.status?.certificate ?? ''
  if (certificate !== (old?.status?.certificate ?? '')) {
    const wrong = problemOfCertificate(decodeBase64(certificate))
    if (wrong !== undefined) errors.push(invalidValue('status.certificate', '<certificate data>', wrong))
  }
  return errors
}

function decodeBase64(text: string): string {
  try {
    return atob(text)
  } catch {
    return ''
  }
}

const maxDomainBytes = 253
const maxSignerNameBytes = 571

/** "example.com/signer": a domain of two segments or more, and a path. */
function checkSignerName(errors: FieldError[], path: string, name: string): void {
  if (name === '') {
    errors.push(required(path))
    return
  }
  const [domain = '', signer, ...rest] = name.split('/')
  if (signer === undefined || rest.length > 0) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    errors.push(invalidValue(path, name, detail))
    return
  }
  if (byteLength(domain) > maxDomainBytes) errors.push(tooLong(path, maxDomainBytes))
  const labels = domain.split('.')
  if (!checkFirstWrong(errors, { path, value: domain, labels }, validateDnsLabel) && labels.length < 2)
    errors.push(invalidValue(path, domain, 'should be a domain with at least two segments separated by dots'))
  checkFirstWrong(errors, { path, value: signer, labels: signer.split('.') }, validateDnsSubdomain)
  if (byteLength(name) > maxSignerNameBytes) errors.push(tooLong(path, maxSignerNameBytes))
}

/** Says what is wrong with the first label that is; true when one was. */
function checkFirstWrong(
  errors: FieldError[],
  { path, value, labels }: { readonly path: string; readonly value: string; readonly labels: readonly string[] },
  rule: (label: string) => string[],
): boolean {
  for (const label of labels) {
    const problems = rule(label)
    for (const problem of problems)
      errors.push(invalidValue(path, value, `validating label ${JSON.stringify(label)}: ${problem}`))
    if (problems.length > 0) return true
  }
  return false
}

const trueOnly = ['Approved', 'Denied', 'Failed']

function checkConditions(errors: FieldError[], conditions: readonly Condition[], old: readonly Condition[]): void {
  const toleratesEmpty = old.some(({ type }) => !type)
  const toleratesRepeated = new Set(old.map(({ type }) => type)).size < old.length
  const toleratesBoth = has(old, 'Approved') && has(old, 'Denied')
  const seen = new Set<string>()
  conditions.forEach(({ type = '', status = '' }, index) => {
    const at = `status.conditions[${String(index)}]`
    if (!toleratesEmpty && type === '') errors.push(required(`${at}.type`))
    const allowed = trueOnly.includes(type) ? ['True'] : ['False', 'True', 'Unknown']
    if (status === '') errors.push(required(`${at}.status`))
    else if (!allowed.includes(status)) errors.push(notSupported(`${at}.status`, status, allowed))
    const opposite = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    if (!toleratesBoth && opposite !== undefined && seen.has(opposite)) {
      const detail = 'Approved and Denied conditions are mutually exclusive'
      errors.push(invalidValue(`${at}.type`, type, detail))
    }
    if (!toleratesRepeated && seen.has(type)) errors.push(duplicate(`${at}.type`, type))
    seen.add(type)
  })
}

const has = (conditions: readonly Condition[], type: string): boolean =>
  conditions.some((condition) => condition.type === type)

const of = (csr: CertificateSigningRequest, type: string): Condition[] =>
  (csr.status?.conditions ?? []).filter((condition) => condition.type === type)

export function checkTransition(
  csr: CertificateSigningRequest,
  old: CertificateSigningRequest,
  door: Door,
): FieldError[] {
  const errors: FieldError[] = []
  const refuse = (detail: string): void => {
    errors.push(forbiddenField('status.conditions', detail))
  }
  for (const type of ['Approved', 'Denied', 'Failed']) {
    if (of(csr, type).length < of(old, type).length)
      refuse(`updates may not remove a condition of type ${JSON.stringify(type)}`)
  }
  if (door !== 'approval') {
    for (const type of ['Approved', 'Denied']) {
      const now = of(csr, type)
      const before = of(old, type)
      if (now.length > before.length) refuse(`updates may not add a condition of type ${JSON.stringify(type)}`)
      else if (now.length === before.length && !semanticEqual(now, before)) {
        refuse(`updates may not modify a condition of type ${JSON.stringify(type)}\n${describeChange(before, now)}`)
      }
    }
  }
  const before = old.status?.certificate ?? ''
  if ((csr.status?.certificate ?? '') !== before) {
    if (door !== 'status') errors.push(forbiddenField('status.certificate', 'updates may not set certificate content'))
    else if (before !== '')
      errors.push(forbiddenField('status.certificate', 'updates may not modify existing certificate content'))
  }
  return errors
}

/** Only certificate blocks, without headers, and at least one. */
function problemOfCertificate(pem: string): string | undefined {
  if (pem === '') return undefined
  const blocks = [...pem.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/g)]
  for (const [, type = '', body = ''] of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (body.includes(':')) return 'no PEM block headers are permitted'
    if (!/^[A-Za-z0-9+/=\s]+$/.test(body)) return 'x509: malformed certificate'
  }
  return blocks.length === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined
}
