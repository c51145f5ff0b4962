// Records requests as audit.k8s.io/v1 Events. One record accompanies one request and writes an event at each stage the policy wants.
import { randomUUID } from 'node:crypto'
import type { Status } from '../../../common/machinery/status.ts'
import type { ApiServerOptions, UserInfo } from '../apiserver.ts'
import { attributesOf } from '../auth/authorizer.ts'
import type { Gauge } from '../metrics.ts'
import type { RequestInfo } from '../chain/request-info.ts'
import { judge, type Verdict } from './judge.ts'
import type { Level, Policy, Stage } from './policy.ts'

export interface AuditedRequest {
  /** Made up when absent. */
  readonly id?: string
  readonly info: RequestInfo
  readonly uri: string
  readonly user: UserInfo
  readonly impersonated?: UserInfo | undefined
  readonly sourceIPs: readonly string[]
  readonly userAgent: string
}

type AuditSink = NonNullable<ApiServerOptions['audit']>['sink']

export class Auditor {
  readonly #levels = new Map<Level, number>()
  #events = 0
  readonly #policy: Policy
  readonly #sink: AuditSink
  readonly #now: () => number

  /** `now`: milliseconds since 1970. */
  constructor(options: { readonly policy: Policy; readonly sink: AuditSink; readonly now: () => number }) {
    this.#policy = options.policy
    this.#sink = options.sink
    this.#now = options.now
  }

  readonly #write = (line: string): void => {
    this.#events += 1
    this.#sink(line)
  }

  gauges(): Gauge[] {
    return [
      {
        name: 'apiserver_audit_event_total',
        type: 'counter',
        help: 'Audit events written.',
        read: () => this.#events,
      },
      {
        name: 'apiserver_audit_level_total',
        type: 'counter',
        help: 'Requests by the level they were audited at.',
        read: () => [...this.#levels].map(([level, value]) => ({ labels: `level="${level}"`, value })),
      },
    ]
  }

  /** Undefined when the policy records nothing of this request. */
  begin(request: AuditedRequest): AuditRecord | undefined {
    const verdict = judge(this.#policy, attributesOf(request.user, request.info))
    if (verdict === undefined) return undefined
    this.#levels.set(verdict.level, (this.#levels.get(verdict.level) ?? 0) + 1)
    const record = new AuditRecord(request, verdict, this.#write, this.#now)
    record.write('RequestReceived')
    return record
  }
}

const includes = (level: Level, wanted: 'Request' | 'RequestResponse'): boolean =>
  level === 'RequestResponse' || level === wanted

export class AuditRecord {
  readonly #request: AuditedRequest
  readonly #verdict: Verdict
  readonly #sink: AuditSink
  readonly #now: () => number
  readonly #received: number
  readonly #id: string
  readonly #annotations: Record<string, string> = {}
  #requestObject: unknown
  #responseObject: unknown
  #responseStatus: object | undefined

  constructor(request: AuditedRequest, verdict: Verdict, sink: AuditSink, now: () => number) {
    this.#request = request
    this.#id = request.id ?? randomUUID()
    this.#verdict = verdict
    this.#sink = sink
    this.#now = now
    this.#received = now()
  }

  get id(): string {
    return this.#id
  }

  annotate(name: string, value: string): void {
    this.#annotations[name] = value
  }

  /** The body as it came, parsed. */
  requestObject(value: unknown): void {
    if (includes(this.#verdict.level, 'Request')) this.#requestObject = value
  }

  /** `read` is called only when answers are recorded. */
  responseObject(read: () => unknown): void {
    if (includes(this.#verdict.level, 'RequestResponse')) this.#responseObject = read()
  }

  /** Long answers (watches, streams) say when they begin. */
  started(code: number): void {
    this.#responseStatus = { metadata: {}, code }
    this.write('ResponseStarted')
  }

  complete(code: number, failure?: Status): void {
    if (failure === undefined) this.#responseStatus = { metadata: {}, code }
    else {
      const { metadata = {}, status, message, reason, details } = failure
      this.#responseStatus = { metadata, status, message, reason, details, code }
      this.responseObject(() => failure)
    }
    this.write('ResponseComplete')
  }

  write(stage: Stage): void {
    const { level, omitStages, omitManagedFields } = this.#verdict
    if (omitStages.has(stage)) return
    const { uri, user, impersonated, sourceIPs, userAgent, info } = this.#request
    const shown = (value: unknown): unknown => (omitManagedFields ? withoutManagedFields(value) : value)
    this.#sink(
      JSON.stringify({
        kind: 'Event',
        apiVersion: 'audit.k8s.io/v1',
        level,
        auditID: this.#id,
        stage,
        requestURI: uri,
        verb: info.verb,
        user: auditUser(user),
        ...(impersonated === undefined ? {} : { impersonatedUser: auditUser(impersonated) }),
        sourceIPs,
        userAgent,
        ...(info.isResource ? { objectRef: this.#reference(info) } : {}),
        ...(this.#responseStatus === undefined ? {} : { responseStatus: this.#responseStatus }),
        ...(this.#requestObject === undefined ? {} : { requestObject: shown(this.#requestObject) }),
        ...(this.#responseObject === undefined ? {} : { responseObject: shown(this.#responseObject) }),
        requestReceivedTimestamp: microTime(this.#received),
        stageTimestamp: microTime(this.#now()),
        ...(Object.keys(this.#annotations).length === 0 ? {} : { annotations: this.#annotations }),
      }),
    )
  }

  #reference(info: Extract<RequestInfo, { isResource: true }>): object {
    const given = metadataOf(this.#requestObject)
    const text = (name: string, value: unknown): object =>
      typeof value === 'string' && value !== '' ? { [name]: value } : {}
    return {
      ...text('resource', info.resource),
      ...text('namespace', info.namespace),
      ...text('name', info.name === '' ? given?.['name'] : info.name),
      ...text('uid', given?.['uid']),
      ...text('apiGroup', info.group),
      ...text('apiVersion', info.version),
      ...text('resourceVersion', given?.['resourceVersion']),
      ...text('subresource', info.subresource),
    }
  }
}

const auditUser = ({ name, uid, groups, extra }: UserInfo): object => ({
  username: name,
  ...(uid === undefined || uid === '' ? {} : { uid }),
  groups,
  ...(extra === undefined ? {} : { extra }),
})

const microTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000Z`

function metadataOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const { metadata } = (typeof value === 'object' && value !== null ? value : {}) as { metadata?: unknown }
  return typeof metadata === 'object' && metadata !== null ? (metadata as Record<string, unknown>) : undefined
}

/** The object, or each object of a list, without metadata.managedFields. */
function withoutManagedFields(value: unknown): unknown {
  const metadata = metadataOf(value)
  if (metadata === undefined) return value
  const { managedFields: _, ...rest } = metadata
  const { items, ...object } = value as { items?: unknown }
  return {
    ...object,
    metadata: rest,
    ...(items === undefined ? {} : { items: Array.isArray(items) ? items.map(withoutManagedFields) : items }),
  }
}
