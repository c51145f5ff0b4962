// Keeps the objects of priority and fairness: those that Kubernetes comes with are made again when they are gone and brought to this
// version's spec unless a person took them over, and every FlowSchema says whether its priority level exists. It runs when one of them
// has changed, never by the clock; several servers on one store come to the same.
import type { FlowSchema, FlowSchemaCondition } from '../../../common/api/generated/types.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { semanticEqual } from '../../kinds/equality.ts'
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from '../../kinds/flowcontrol/mandatory.ts'
import type { Watch } from '../../store/store.ts'
import type { UserInfo } from '../auth/user-info.ts'
import { lookupAll, readStored, type Registry, type WriteRequest } from '../registry/context.ts'
import { createObject } from '../registry/create.ts'
import { updateObject } from '../registry/update.ts'
import {
  autoUpdateAnnotation,
  type FlowControlObject,
  flowControlGroup,
  flowControlObjects,
} from './bootstrap-objects.ts'
import { flowControlPrefix } from './configuration.ts'

type Configured = KubeObject & { spec?: unknown }

export class FlowObjects {
  readonly #registry: Registry
  readonly #user: UserInfo
  #watch: Watch | undefined
  #changed = false
  #working: Promise<void> | undefined

  constructor(registry: Registry, user: UserInfo) {
    this.#registry = registry
    this.#user = user
  }

  start(): void {
    const { store } = this.#registry
    this.#watch = store.watch({
      prefix: flowControlPrefix,
      fromRevision: store.revision + 1,
      onEvents: () => {
        this.#wake()
      },
    })
    this.#wake()
  }

  close(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  #wake(): void {
    this.#changed = true
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  async #work(): Promise<void> {
    while (this.#changed && this.#watch !== undefined) {
      this.#changed = false
      try {
        await Promise.all(flowControlObjects().map((wanted) => this.#maintain(wanted)))
        await Promise.all(this.#schemas().map((schema) => this.#tellWhetherDangling(schema)))
      } catch (error) {
        // Another server was first, or somebody deleted it: that was a change too, and is looked at again.
        if (isReason(error, 'Conflict') || isReason(error, 'NotFound') || isReason(error, 'AlreadyExists')) continue
        if (this.#watch !== undefined) this.#registry.logger.warn('objects of flow control were not kept', { error })
      }
    }
  }

  async #maintain({ plural, object }: FlowControlObject): Promise<void> {
    const resource = this.#registry.resources.find(flowControlGroup, 'v1', plural)
    if (resource === undefined) return
    const name = object.metadata.name ?? ''
    const request = this.#request('producer')
    const current = readStored(this.#registry, resource, undefined, name)?.object
    if (current === undefined) {
      await createObject(this.#registry, resource, { namespace: '', object: structuredClone(object), request })
      return
    }
    const isMandatory = name in (plural === 'flowschemas' ? mandatoryFlowSchemas : mandatoryPriorityLevels)
    const update = wantedUpdate(current, object, isMandatory)
    if (update === undefined) return
    await updateObject(this.#registry, resource, {
      namespace: '',
      name,
      subresource: '',
      strategy: resource.kind.update,
      change: (stored) => {
        const next = stored.copy() as Configured
        next.metadata.annotations = { ...next.metadata.annotations, [autoUpdateAnnotation]: update.annotation }
        if (update.spec !== undefined) next.spec = structuredClone(update.spec)
        return next
      },
      request,
    })
  }

  async #tellWhetherDangling(schema: FlowSchema & KubeObject): Promise<void> {
    const { resources, clock } = this.#registry
    const resource = resources.find(flowControlGroup, 'v1', 'flowschemas')
    const levels = resources.find(flowControlGroup, 'v1', 'prioritylevelconfigurations')
    if (resource === undefined || levels === undefined) return
    const level = schema.spec?.priorityLevelConfiguration.name ?? ''
    const exists = readStored(this.#registry, levels, undefined, level) !== undefined
    const wanted = danglingCondition(level, exists)
    const present: FlowSchemaCondition = schema.status?.conditions?.find(({ type }) => type === wanted.type) ?? {}
    if (present.status === wanted.status && present.reason === wanted.reason && present.message === wanted.message)
      return
    const lastTransitionTime = present.status === wanted.status ? present.lastTransitionTime : formatTime(clock.now())
    const condition = { ...wanted, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) }
    await updateObject(this.#registry, resource, {
      namespace: '',
      name: schema.metadata.name ?? '',
      subresource: 'status',
      strategy: resource.kind.status,
      change: (stored) => {
        const next = stored.copy() as FlowSchema & KubeObject
        const others = (next.status?.conditions ?? []).filter(({ type }) => type !== wanted.type)
        next.status = { ...next.status, conditions: [...others, condition] }
        return next
      },
      request: this.#request('consumer'),
    })
  }

  #schemas(): (FlowSchema & KubeObject)[] {
    return lookupAll(this.#registry, flowControlGroup, 'flowschemas').map(
      ({ object }) => object as FlowSchema & KubeObject,
    )
  }

  #request(part: 'producer' | 'consumer'): WriteRequest {
    const fieldManager = `api-priority-and-fairness-config-${part}-v1`
    return { user: this.#user, dryRun: false, fieldManager, warn: () => undefined }
  }
}

/** What to change of an object that Kubernetes comes with; undefined: nothing. */
export function wantedUpdate(
  current: Configured,
  wanted: Configured,
  isMandatory: boolean,
): { annotation: string; spec?: unknown } | undefined {
  const given = current.metadata.annotations?.[autoUpdateAnnotation]
  // One that nobody changed since it was made is ours to keep up to date.
  const automatic =
    isMandatory || (given === 'true' || given === 'false' ? given === 'true' : (current.metadata.generation ?? 1) === 1)
  const annotation = String(automatic)
  const isRight = !automatic || semanticEqual(current.spec, wanted.spec)
  if (isRight && given === annotation) return undefined
  return { annotation, ...(isRight ? {} : { spec: wanted.spec }) }
}

function danglingCondition(level: string, exists: boolean): FlowSchemaCondition {
  const about = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)}`
  return {
    type: 'Dangling',
    status: exists ? 'False' : 'True',
    reason: exists ? 'Found' : 'NotFound',
    message: exists ? `${about} and it exists` : `${about} but there is no such object`,
  }
}
