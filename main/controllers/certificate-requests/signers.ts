// Pure: the built-in signers and what they vouch for. Sources: pkg/controller/certificates/signer, pkg/apis/certificates/helpers.go.
import type { RequestedIdentity } from '../runtime/signer.ts'

export const kubeletClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet'

export interface SignerRequest {
  identity: RequestedIdentity
  usages: readonly string[]
}

/** Signer name -> why it refuses the request; undefined when it signs. */
export const signers: Readonly<Record<string, (request: SignerRequest) => string | undefined>> = {
  'kubernetes.io/kube-apiserver-client': ({ usages }) => clientUsages(usages),
  [kubeletClientSigner]: refuseKubeletClient,
  'kubernetes.io/kubelet-serving': refuseKubeletServing,
  // Anything goes: whoever approves is responsible.
  'kubernetes.io/legacy-unknown': () => undefined,
}

function clientUsages(usages: readonly string[]): string | undefined {
  const allowed = ['digital signature', 'key encipherment', 'client auth']
  const other = usages.find((usage) => !allowed.includes(usage))
  if (other !== undefined) return `invalid usage for client certificate: ${other}`
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}

function refuseNode({ organizations, commonName }: RequestedIdentity): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes')
    return 'subject organization is not system:nodes'
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:'
}

export function refuseKubeletClient({ identity, usages }: SignerRequest): string | undefined {
  const why = refuseNode(identity)
  if (why !== undefined) return why
  if (identity.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (identity.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (identity.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (identity.uris.length > 0) return 'URI subjectAltNames are not allowed'
  return exactUsages(usages, 'client auth')
}

function refuseKubeletServing({ identity, usages }: SignerRequest): string | undefined {
  const why = refuseNode(identity)
  if (why !== undefined) return why
  if (identity.dnsNames.length === 0 && identity.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
  if (identity.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (identity.uris.length > 0) return 'URI subjectAltNames are not allowed'
  return exactUsages(usages, 'server auth')
}

/** Key encipherment is for RSA keys and may be left out. */
function exactUsages(usages: readonly string[], auth: string): string | undefined {
  const given = new Set(usages)
  given.delete('key encipherment')
  const isRight = given.size === 2 && given.has('digital signature') && given.has(auth)
  const required = ['client auth', 'digital signature', 'key encipherment', 'server auth'].filter(
    (usage) => usage === auth || usage === 'digital signature' || usage === 'key encipherment',
  )
  return isRight ? undefined : `usages did not match [${required.join(' ')}]`
}
