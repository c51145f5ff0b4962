// Plugins about certificate requests and trust bundles: who may approve, sign and attest for a signer, and what no request may ask for.
import type { CertificateSigningRequest } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { forbidden } from '../../../common/machinery/status.ts'
import type { Authorizer } from '../auth/authorizer.ts'
import { sameJson } from '../registry/same-json.ts'
import { type AdmissionAttributes, type AdmissionPlugin, concerns, isCreate } from './admission.ts'
import { organizationsOf } from './certificate-subject.ts'

type Request = KubeObject & CertificateSigningRequest
const group = 'certificates.k8s.io'
const isAboutRequests = concerns(group, 'certificatesigningrequests')

/** Permission for one signer, or for all of its domain ("example.com/*"). */
function mayActFor(authorizer: Authorizer, { request }: AdmissionAttributes, verb: string, signer: string): boolean {
  const domain = signer.split('/')[0] ?? ''
  return [signer, `${domain}/*`].some(
    (name) =>
      authorizer.authorize({
        user: request.user,
        verb,
        group,
        resource: 'signers',
        subresource: '',
        namespace: '',
        name,
      }).allowed,
  )
}

export const certificateApproval = (authorizer: () => Authorizer): AdmissionPlugin => ({
  name: 'CertificateApproval',
  concerns: isAboutRequests,
  validate(attributes) {
    const { operation, subresource, old, resourceName, name } = attributes
    if (operation !== 'UPDATE' || subresource !== 'approval') return
    const signer = (old as Request).spec.signerName
    if (mayActFor(authorizer(), attributes, 'approve', signer)) return
    throw forbidden(
      resourceName,
      name,
      `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`,
    )
  },
})

export const certificateSigning = (authorizer: () => Authorizer): AdmissionPlugin => ({
  name: 'CertificateSigning',
  concerns: isAboutRequests,
  validate(attributes) {
    const { operation, subresource, object, old, resourceName, name } = attributes
    if (operation !== 'UPDATE' || subresource !== 'status') return
    const [before, after] = [old as Request, object as Request]
    const failed = ({ status }: Request): unknown[] =>
      (status?.conditions ?? []).filter(({ type }) => type === 'Failed')
    if (before.status?.certificate === after.status?.certificate && sameJson(failed(before), failed(after))) return
    const signer = before.spec.signerName
    if (mayActFor(authorizer(), attributes, 'sign', signer)) return
    throw forbidden(resourceName, name, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`)
  },
})

export const clusterTrustBundleAttest = (authorizer: () => Authorizer): AdmissionPlugin => ({
  name: 'ClusterTrustBundleAttest',
  concerns: concerns(group, 'clustertrustbundles'),
  validate(attributes) {
    const { operation, object, resourceName, name } = attributes
    if (operation === 'DELETE' || object === undefined) return
    const signer = (object as KubeObject & { spec?: { signerName?: string } }).spec?.signerName ?? ''
    if (signer === '' || mayActFor(authorizer(), attributes, 'attest', signer)) return
    throw forbidden(resourceName, name, `user not permitted to attest for signerName ${JSON.stringify(signer)}`)
  },
})

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  concerns: isAboutRequests,
  validate(attributes) {
    const { object, resourceName, name } = attributes
    if (!isCreate(attributes)) return
    const { spec } = object as Request
    if (spec.signerName !== 'kubernetes.io/kube-apiserver-client') return
    if (organizationsOf(Buffer.from(spec.request, 'base64').toString()).includes('system:masters'))
      throw forbidden(
        resourceName,
        name,
        'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
      )
  },
}
