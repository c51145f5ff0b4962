// For tests: a program that webhooks ask, which answers as the test says and remembers what it was asked.
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { ConfigMap } from '../../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../../common/machinery/meta.ts'
import { createAuthority, issueCertificate } from '../../../pki/certificates.ts'
import type { TestServer } from '../../testing/test-server.ts'

export interface Review {
  readonly apiVersion: string
  readonly request: {
    readonly uid: string
    readonly operation: string
    readonly kind: object
    readonly object: (KubeObject & ConfigMap) | null
    readonly oldObject: KubeObject | null
    readonly resource: object
    readonly subResource?: string
    readonly userInfo: { readonly username: string }
    readonly dryRun: boolean
    readonly options: object | null
    readonly name: string
    readonly namespace?: string
  }
}

/** The response's fields, or the text of a failure (500); undefined: no answer until the caller gives up. */
export type Answering = (review: Review) => object | string | undefined

export class WebhookProgram {
  readonly port: number
  readonly caBundle: string
  /** Since `forget`. */
  reviews: Review[] = []
  /** Of the last request. */
  authorization: string | undefined
  readonly #answers: Map<string, Answering>
  readonly #server: Server

  private constructor(server: Server, caBundle: string, answers: Map<string, Answering>) {
    this.#server = server
    this.#answers = answers
    this.caBundle = caBundle
    this.port = (server.address() as AddressInfo).port
  }

  static async start(): Promise<WebhookProgram> {
    const authority = await createAuthority('webhook-ca')
    const certificate = await issueCertificate(authority, {
      commonName: 'webhook',
      addresses: ['127.0.0.1'],
      dnsNames: ['hook.hooks.svc'],
      usages: ['server'],
    })
    const answers = new Map<string, Answering>()
    const server = createServer(certificate, (req, res) => {
      let text = ''
      req.on('data', (chunk: Buffer) => (text += chunk.toString()))
      req.on('end', () => {
        const review = JSON.parse(text) as Review
        program.reviews.push(review)
        program.authorization = req.headers.authorization
        const answer = answers.get((req.url ?? '').split('?')[0] ?? '')?.(review)
        if (answer === undefined) return
        if (typeof answer === 'string') {
          res.writeHead(500)
          res.end(answer)
          return
        }
        const response = { uid: review.request.uid, allowed: true, ...answer }
        res.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: review.apiVersion, response }))
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const program = new WebhookProgram(server, Buffer.from(authority.cert).toString('base64'), answers)
    return program
  }

  answer(path: string, answering: Answering): void {
    this.#answers.set(path, answering)
  }

  forget(): void {
    this.reviews = []
    this.#answers.clear()
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

const group = '/apis/admissionregistration.k8s.io/v1'
const configurations = {
  validating: ['validatingwebhookconfigurations', 'ValidatingWebhookConfiguration'],
  mutating: ['mutatingwebhookconfigurations', 'MutatingWebhookConfiguration'],
} as const

/** Puts the program's path to work for ConfigMaps of namespaces labelled "hooks: yes", unless `fields` say otherwise. */
export async function registerWebhook(
  server: TestServer,
  { port, caBundle }: WebhookProgram,
  type: keyof typeof configurations,
  path: string,
  fields: object = {},
  name = `hooks${path.replaceAll('/', '-')}`,
): Promise<void> {
  const [plural, kind] = configurations[type]
  const webhook = {
    name: `${name}.example.com`,
    clientConfig: { url: `https://127.0.0.1:${String(port)}${path}`, caBundle },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] }],
    namespaceSelector: { matchLabels: { hooks: 'yes' } },
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...fields,
  }
  const body = { apiVersion: 'admissionregistration.k8s.io/v1', kind, metadata: { name }, webhooks: [webhook] }
  const answer = await server.call(`${group}/${plural}`, { body })
  if (answer.status !== 201) throw new Error(answer.text)
}

export async function unregisterWebhooks(server: TestServer): Promise<void> {
  for (const [plural] of Object.values(configurations)) await server.call(`${group}/${plural}`, { method: 'DELETE' })
}

export const patchAnswer = (patch: readonly object[]): object => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
})
