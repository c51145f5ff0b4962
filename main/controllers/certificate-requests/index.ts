// Three controllers of CertificateSigningRequests: approve what nodes ask for themselves, sign what was approved, remove what is over.
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
  SubjectAccessReview,
} from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import { requeueAfter } from '../../../common/client/controller.ts'
import { resourcePath } from '../../../common/client/create-client.ts'
import { certificateSigningRequests } from '../../../common/client/resources.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { ControllerDeps, ControllerFactory } from '../runtime/deps.ts'
import { createPerObjectController } from '../runtime/per-object.ts'
import { tolerate } from '../runtime/tolerate.ts'
import type { RequestedIdentity } from '../runtime/signer.ts'
import { isToBeSigned, isUndecided, leftMs, lifeMs, requestPem } from './plan.ts'
import { kubeletClientSigner, refuseKubeletClient, signers } from './signers.ts'

export const newCsrSigningController: ControllerFactory = (deps) => {
  const name = 'csrsigning-controller'
  const client = deps.client(name)
  return createPerObjectController(deps, {
    name,
    resource: certificateSigningRequests,
    async reconcile(csr) {
      const { signer } = deps
      const refuse = signers[csr.spec.signerName]
      if (signer === undefined || refuse === undefined || !isToBeSigned(csr)) return
      const pem = requestPem(csr)
      const usages = csr.spec.usages ?? []
      const why = refuse({ identity: await signer.readRequest(pem), usages })
      if (why !== undefined) {
        const failed = newCondition(deps, 'Failed', 'SignerValidationFailure', why)
        const conditions = [...(csr.status?.conditions ?? []), failed]
        await client.updateStatus(certificateSigningRequests, { ...csr, status: { ...csr.status, conditions } })
        return
      }
      const signed = await signer.signCertificate({ pem, usages, notAfterMs: deps.clock.now() + lifeMs(csr) })
      const certificate = Buffer.from(signed).toString('base64')
      await client.updateStatus(certificateSigningRequests, { ...csr, status: { ...csr.status, certificate } })
    },
  })
}

/** Whose request it is decides which permission is needed: for itself, or (by a token that nodes join with) for a node to come. */
const approvals = [
  {
    subresource: 'selfnodeclient',
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
    isFor: (csr: CertificateSigningRequest, identity: RequestedIdentity) => csr.spec.username === identity.commonName,
  },
  {
    subresource: 'nodeclient',
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
    isFor: () => true,
  },
] as const

export const newCsrApprovingController: ControllerFactory = (deps) => {
  const name = 'csrapproving-controller'
  const client = deps.client(name)
  return createPerObjectController(deps, {
    name,
    resource: certificateSigningRequests,
    async reconcile(csr, key) {
      const { signer } = deps
      if (signer === undefined || !isUndecided(csr)) return
      if (csr.spec.signerName !== kubeletClientSigner) return
      const identity = await signer.readRequest(requestPem(csr))
      if (refuseKubeletClient({ identity, usages: csr.spec.usages ?? [] }) !== undefined) return
      const tried = approvals.filter(({ isFor }) => isFor(csr, identity))
      for (const { subresource, message } of tried) {
        if (!(await mayCreate(client, csr, subresource))) continue
        const approved = newCondition(deps, 'Approved', 'AutoApproved', message)
        await client.transport.request({
          method: 'PUT',
          path: resourcePath(certificateSigningRequests, { name: key, subresource: 'approval' }),
          body: { ...csr, status: { ...csr.status, conditions: [...(csr.status?.conditions ?? []), approved] } },
        })
        return
      }
      const names = tried.map(({ subresource }) => subresource).join(' ')
      throw new Error(`recognized csr "${key}" as [${names}] but subject access review was not approved`)
    },
    baseDelayMs: 200,
    maxDelayMs: 1_000_000,
  })
}

async function mayCreate(
  client: KubeClient,
  { spec }: CertificateSigningRequest,
  subresource: string,
): Promise<boolean> {
  const review = await client.transport.request<SubjectAccessReview>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: spec.username,
        uid: spec.uid,
        groups: spec.groups,
        extra: spec.extra,
        resourceAttributes: {
          group: 'certificates.k8s.io',
          resource: 'certificatesigningrequests',
          verb: 'create',
          subresource,
        },
      },
    },
  })
  return review.status?.allowed === true
}

function newCondition(
  { clock }: ControllerDeps,
  type: string,
  reason: string,
  message: string,
): CertificateSigningRequestCondition {
  const now = formatTime(clock.now())
  return { type, status: 'True', reason, message, lastUpdateTime: now, lastTransitionTime: now }
}

export const newCsrCleanerController: ControllerFactory = (deps) => {
  const name = 'csrcleaner-controller'
  const client = deps.client(name)
  return createPerObjectController(deps, {
    name,
    workers: 1,
    resource: certificateSigningRequests,
    async reconcile(csr, key) {
      const waitMs = leftMs(csr, deps.clock.now())
      if (waitMs === undefined) return
      if (waitMs > 0) return requeueAfter(Math.min(waitMs, maxWaitMs))
      const { uid } = csr.metadata
      await client
        .delete(certificateSigningRequests, key, undefined, { preconditions: { uid } })
        .catch(tolerate('NotFound', 'Conflict'))
    },
  })
}

/** Timers hold at most 24 days. */
const maxWaitMs = 86_400_000
