// Authorization by a webhook: each question is a SubjectAccessReview, and its answer is remembered for a while.
import type { SubjectAccessReviewSpec } from '../../../../common/api/generated/types.ts'
import { Budget, type Program } from '../../cel/compile.ts'
import { fromJson } from '../../cel/values.ts'
import { type Attributes, type Authorizer, type Decision, noOpinion } from '../authorizer.ts'
import { ExpiringCache } from '../remote/expiring-cache.ts'
import { RemoteClient, type RemoteEndpoint } from '../remote/endpoint.ts'
import { compileReviewCondition, reviewType } from './review-condition.ts'
import { selectorAttributes } from './selector-attributes.ts'

export interface WebhookAuthorizerOptions {
  readonly name: string
  readonly endpoint: RemoteEndpoint
  /** Of authorization.k8s.io, in which the webhook is asked. */
  readonly version: 'v1' | 'v1beta1'
  readonly authorizedTtlMs: number
  readonly unauthorizedTtlMs: number
  readonly timeoutMs: number
  /** What it means that the webhook cannot be asked. */
  readonly failurePolicy: 'NoOpinion' | 'Deny'
  /** CEL; only requests of which all are true are asked about. */
  readonly matchConditions: readonly string[]
}

/** Longer questions are not remembered: they are made up by clients. */
const maxKeyLength = 10_000
const costLimit = 1_000_000

export class WebhookAuthorizer implements Authorizer {
  readonly #options: WebhookAuthorizerOptions
  readonly #client: RemoteClient
  readonly #conditions: readonly Program[]
  readonly #answers: ExpiringCache<Decision>

  /** Throws CompileError and WrongResult for conditions. `now`: milliseconds. */
  constructor(options: WebhookAuthorizerOptions, now: () => number) {
    this.#options = options
    this.#client = new RemoteClient(options.endpoint)
    this.#conditions = options.matchConditions.map(compileReviewCondition)
    this.#answers = new ExpiringCache(now)
  }

  /** Who cannot wait gets what is remembered. */
  authorize(attributes: Attributes): Decision {
    return this.#answers.get(JSON.stringify(specOf(attributes))) ?? noOpinion
  }

  decide(attributes: Attributes): Decision | Promise<Decision> {
    const spec = specOf(attributes)
    try {
      if (!this.#concerns(spec)) return noOpinion
    } catch (error) {
      return this.#failed(error)
    }
    const key = JSON.stringify(spec)
    return this.#answers.get(key) ?? this.#ask(spec, key)
  }

  close(): void {
    this.#client.close()
  }

  async #ask(spec: SubjectAccessReviewSpec, key: string): Promise<Decision> {
    const { version, timeoutMs, authorizedTtlMs, unauthorizedTtlMs } = this.#options
    try {
      const answer = (await this.#client.post(
        {
          kind: 'SubjectAccessReview',
          apiVersion: `authorization.k8s.io/${version}`,
          metadata: {},
          spec: asked(spec, version),
          status: { allowed: false },
        },
        timeoutMs,
      )) as { status?: { allowed?: boolean; denied?: boolean; reason?: string; evaluationError?: string } }
      const { allowed = false, denied = false, reason = '' } = answer.status ?? {}
      if (allowed && denied) throw new Error('webhook subject access review returned both allow and deny response')
      const decision: Decision = { allowed, reason, ...(denied ? { denied: true } : {}) }
      if (key.length <= maxKeyLength) this.#answers.set(key, decision, allowed ? authorizedTtlMs : unauthorizedTtlMs)
      return decision
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** False as soon as one condition is; throws when one fails and none is false. */
  #concerns(spec: SubjectAccessReviewSpec): boolean {
    if (this.#conditions.length === 0) return true
    const request = fromJson(spec, reviewType)
    const budget = new Budget(costLimit)
    const failures: string[] = []
    for (const condition of this.#conditions) {
      try {
        if (condition.run({ request }, budget) !== true) return false
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error))
      }
    }
    if (failures.length > 0) throw new Error(failures.join(', '))
    return true
  }

  #failed(error: unknown): Decision {
    const why = error instanceof Error ? error.message : String(error)
    return this.#options.failurePolicy === 'Deny'
      ? { allowed: false, denied: true, reason: '', error: why }
      : { allowed: false, reason: '', error: why }
  }
}

function specOf(attributes: Attributes): SubjectAccessReviewSpec {
  const { name, uid, groups, extra } = attributes.user
  const who = {
    user: name,
    groups: [...groups],
    ...(uid === undefined ? {} : { uid }),
    ...(extra === undefined
      ? {}
      : { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) }),
  }
  if ('path' in attributes) return { nonResourceAttributes: { path: attributes.path, verb: attributes.verb }, ...who }
  const { namespace, verb, group, version = '', resource, subresource, name: object } = attributes
  const given = Object.entries({ namespace, verb, group, version, resource, subresource, name: object })
  return {
    resourceAttributes: {
      ...Object.fromEntries(given.filter(([, value]) => value !== '')),
      ...selectorAttributes(attributes),
    },
    ...who,
  }
}

/** v1beta1 calls the groups "group". */
function asked({ groups, ...spec }: SubjectAccessReviewSpec, version: 'v1' | 'v1beta1'): object {
  if (groups === undefined) return spec
  return version === 'v1' ? { ...spec, groups } : { ...spec, group: groups }
}
