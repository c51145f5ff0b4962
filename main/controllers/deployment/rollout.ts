// Thin: carries out for one deployment what plan.ts decided, one write after the other, each visible in the next reconcile.
import type { Deployment, DeploymentStatus, Pod, ReplicaSet } from '../../../common/api/generated/types.ts'
import type { KubeClient } from '../../../common/client/client.ts'
import type { EventRecorder } from '../../../common/client/event-recorder.ts'
import { deployments, replicaSets } from '../../../common/client/resources.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import { isReason } from '../../../common/machinery/status.ts'
import { controllerReference, isControlledBy } from '../ownership/controller-of.ts'
import { isNamespaceTerminating } from '../pods/pod-control.ts'
import { withoutZeros } from '../pods/without-zeros.ts'
import { canonicalJson, sameTemplate, templateHash } from '../pods/template-hash.ts'
import { isRolling, replicasOf, rollingLimits } from './limits.ts'
import type { Scaling } from './plan.ts'
import {
  findNewSet,
  hashLabel,
  isComplete,
  isSaturated,
  isScalingEvent,
  newSetReplicas,
  oldPodsRemain,
  planCleanup,
  planNewSet,
  planOldSets,
  planScaling,
  withPods,
} from './plan.ts'
import { annotationsOfNewSet, maxRevision, revisionAnnotation, sizeAnnotations } from './revisions.ts'
import {
  conditionOf,
  deadlineInMs,
  hasDeadline,
  newCondition,
  planCounts,
  planRolloutStatus,
  withCondition,
} from './status.ts'

export interface RolloutTools {
  client: KubeClient
  events: EventRecorder
  clock: Clock
  podsOf(sets: readonly ReplicaSet[]): readonly Pod[]
}

/** Returns milliseconds after which to look again, if anything depends on time. */
export class Rollout {
  readonly #tools: RolloutTools
  #deployment: Deployment
  #sets: ReplicaSet[]

  constructor(tools: RolloutTools, deployment: Deployment, sets: readonly ReplicaSet[]) {
    this.#tools = tools
    this.#deployment = deployment
    this.#sets = [...sets]
  }

  async run(): Promise<number | undefined> {
    const deployment = this.#deployment
    if (deployment.metadata.deletionTimestamp !== undefined)
      return this.#writeCounts(findNewSet(deployment, this.#sets))
    await this.#notePause()
    if (deployment.spec?.paused === true) return this.#resizeOnly()
    if (isScalingEvent(deployment, this.#sets)) return this.#resizeOnly()
    return isRolling(deployment) ? this.#roll() : this.#recreate()
  }

  /** Paused or scaled: no new revision, only sizes, cleanup and counts. */
  async #resizeOnly(): Promise<number | undefined> {
    const newSet = await this.#ensureNewSet(false)
    const old = this.#oldSets(newSet)
    for (const scaling of planScaling(this.#deployment, newSet, old)) await this.#scale(scaling)
    if (this.#deployment.spec?.paused === true) await this.#cleanUp(newSet)
    return this.#writeCounts(this.#current(newSet))
  }

  async #roll(): Promise<number | undefined> {
    const newSet = await this.#ensureNewSet(true)
    if (newSet === undefined) return undefined
    const up = planNewSet(this.#deployment, this.#sets, newSet)
    if (up !== undefined) {
      await this.#scale({ set: newSet, replicas: up })
      return this.#writeRollout(this.#current(newSet))
    }
    const down = planOldSets(this.#deployment, this.#oldSets(newSet), newSet)
    for (const scaling of down) await this.#scale(scaling)
    if (down.length > 0) return this.#writeRollout(this.#current(newSet))
    await this.#cleanUpWhenDone(newSet)
    return this.#writeRollout(this.#current(newSet))
  }

  async #recreate(): Promise<number | undefined> {
    let newSet = await this.#ensureNewSet(false)
    const old = this.#oldSets(newSet)
    const active = withPods(old)
    for (const set of active) await this.#scale({ set, replicas: 0 })
    if (active.length > 0) return this.#writeRollout(this.#current(newSet))
    if (oldPodsRemain(old, this.#tools.podsOf(old))) return this.#writeRollout(newSet)
    newSet ??= await this.#ensureNewSet(true)
    if (newSet === undefined) return undefined
    if (replicasOf(newSet) !== replicasOf(this.#deployment))
      await this.#scale({ set: newSet, replicas: replicasOf(this.#deployment) })
    await this.#cleanUpWhenDone(newSet)
    return this.#writeRollout(this.#current(newSet))
  }

  #oldSets(newSet: ReplicaSet | undefined): ReplicaSet[] {
    return this.#sets.filter((set) => set.metadata.uid !== newSet?.metadata.uid)
  }

  #current(set: ReplicaSet | undefined): ReplicaSet | undefined {
    return this.#sets.find((known) => known.metadata.uid === set?.metadata.uid)
  }

  #replace(set: ReplicaSet): ReplicaSet {
    this.#sets = this.#sets.map((known) => (known.metadata.uid === set.metadata.uid ? set : known))
    return set
  }

  /** The set of the present template with its annotations up to date; made when `create` and there is none. */
  async #ensureNewSet(create: boolean): Promise<ReplicaSet | undefined> {
    const found = findNewSet(this.#deployment, this.#sets)
    if (found === undefined) return create ? this.#createNewSet() : undefined
    const revision = maxRevision(this.#oldSets(found)) + 1n
    const annotations = annotationsOfNewSet(this.#deployment, found, revision, true)
    const minReadySeconds = this.#deployment.spec?.minReadySeconds ?? 0
    const current = { ...found.metadata.annotations }
    let newSet = found
    if (
      canonicalJson(annotations) !== canonicalJson(current) ||
      (found.spec?.minReadySeconds ?? 0) !== minReadySeconds
    ) {
      const patch = {
        metadata: { annotations, resourceVersion: found.metadata.resourceVersion },
        spec: { minReadySeconds },
      }
      newSet = this.#replace(await this.#patchSet(found, patch))
    }
    const name = newSet.metadata.name ?? ''
    await this.#setRevision(newSet.metadata.annotations?.[revisionAnnotation] ?? String(revision), [
      'True',
      'FoundNewReplicaSet',
      `Found new replica set "${name}"`,
    ])
    return newSet
  }

  async #createNewSet(): Promise<ReplicaSet | undefined> {
    const deployment = this.#deployment
    const { template, selector } = deployment.spec ?? {}
    if (template === undefined) return undefined
    const hash = templateHash(template, deployment.status?.collisionCount)
    const revision = maxRevision(this.#sets) + 1n
    const labels = { ...template.metadata?.labels, [hashLabel]: hash }
    const replicas = newSetReplicas(deployment, this.#sets, undefined)
    const name = `${deployment.metadata.name ?? ''}-${hash}`
    const sizes = sizeAnnotations(replicasOf(deployment), replicasOf(deployment) + rollingLimits(deployment).surge)
    const set: ReplicaSet = {
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name,
        namespace: deployment.metadata.namespace,
        labels,
        annotations: { ...annotationsOfNewSet(deployment, { metadata: {} }, revision, false), ...sizes },
        ownerReferences: [controllerReference(deployment)],
      },
      spec: {
        replicas,
        minReadySeconds: deployment.spec?.minReadySeconds ?? 0,
        selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    }
    let created: ReplicaSet
    try {
      created = await this.#tools.client.create(replicaSets, set)
    } catch (error) {
      if (isReason(error, 'AlreadyExists')) created = await this.#onNameTaken(name, error)
      else return this.#onCreateFailed(name, error)
    }
    if (!this.#sets.some((known) => known.metadata.uid === created.metadata.uid)) this.#sets.push(created)
    if (replicas > 0) this.#tellScaling('up', name, 0, replicas)
    await this.#setRevision(String(revision), ['True', 'NewReplicaSetCreated', `Created new replica set "${name}"`])
    return created
  }

  /** Our own set that the cache has not shown yet, or a hash collision: then a different hash is tried next time. */
  async #onNameTaken(name: string, error: unknown): Promise<ReplicaSet> {
    const existing = await this.#tools.client.get(replicaSets, name, this.#deployment.metadata.namespace)
    if (
      isControlledBy(existing, this.#deployment) &&
      sameTemplate(existing.spec?.template, this.#deployment.spec?.template, hashLabel)
    )
      return existing
    const collisionCount = (this.#deployment.status?.collisionCount ?? 0) + 1
    await this.#writeStatus({ ...this.#deployment.status, collisionCount })
    throw error
  }

  async #onCreateFailed(name: string, error: unknown): Promise<undefined> {
    if (isNamespaceTerminating(error)) return undefined
    const why = error instanceof Error ? error.message : String(error)
    const message = `Failed to create new replica set "${name}": ${why}`
    if (hasDeadline(this.#deployment)) {
      const condition = newCondition('Progressing', 'False', 'ReplicaSetCreateError', message, this.#tools.clock.now())
      await this.#writeStatus({
        ...this.#deployment.status,
        conditions: withCondition(this.#deployment.status?.conditions ?? [], condition),
      })
    }
    this.#tools.events.event(this.#deployment, 'Warning', 'ReplicaSetCreateError', message)
    throw error
  }

  /** Writes the deployment's revision annotation, and the first Progressing condition if there is none yet. */
  async #setRevision(revision: string, [status, reason, message]: ['True', string, string]): Promise<void> {
    const deployment = this.#deployment
    if (deployment.metadata.annotations?.[revisionAnnotation] !== revision) {
      const { name = '', namespace, resourceVersion } = deployment.metadata
      const patch = { metadata: { resourceVersion, annotations: { [revisionAnnotation]: revision } } }
      this.#deployment = await this.#tools.client.patch(
        deployments,
        { name, namespace },
        'application/merge-patch+json',
        patch,
      )
    }
    const created = reason === 'NewReplicaSetCreated'
    if (hasDeadline(deployment) && (created || conditionOf(deployment.status, 'Progressing') === undefined)) {
      const condition = newCondition('Progressing', status, reason, message, this.#tools.clock.now())
      await this.#writeStatus({
        ...this.#deployment.status,
        conditions: withCondition(this.#deployment.status?.conditions ?? [], condition),
      })
    }
  }

  async #notePause(): Promise<void> {
    if (!hasDeadline(this.#deployment)) return
    const condition = conditionOf(this.#deployment.status, 'Progressing')
    // A deadline that was missed before pausing stays said.
    if (condition?.reason === 'ProgressDeadlineExceeded') return
    const paused = condition?.reason === 'DeploymentPaused'
    const wanted = this.#deployment.spec?.paused === true
    if (paused === wanted) return
    const next = wanted
      ? newCondition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', this.#tools.clock.now())
      : newCondition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', this.#tools.clock.now())
    await this.#writeStatus({
      ...this.#deployment.status,
      conditions: withCondition(this.#deployment.status?.conditions ?? [], next),
    })
  }

  async #scale({ set, replicas }: Scaling): Promise<void> {
    const deployment = this.#deployment
    const before = replicasOf(set)
    const sizes = sizeAnnotations(replicasOf(deployment), replicasOf(deployment) + rollingLimits(deployment).surge)
    const annotated = Object.entries(sizes).every(([key, value]) => set.metadata.annotations?.[key] === value)
    if (before === replicas && annotated) return
    this.#replace(
      await this.#patchSet(set, {
        metadata: { annotations: sizes, resourceVersion: set.metadata.resourceVersion },
        spec: { replicas },
      }),
    )
    if (before !== replicas)
      this.#tellScaling(before < replicas ? 'up' : 'down', set.metadata.name ?? '', before, replicas)
  }

  #tellScaling(direction: 'up' | 'down', name: string, from: number, to: number): void {
    const message = `Scaled ${direction} replica set ${name} from ${String(from)} to ${String(to)}`
    this.#tools.events.event(this.#deployment, 'Normal', 'ScalingReplicaSet', message)
  }

  #patchSet(set: ReplicaSet, patch: unknown): Promise<ReplicaSet> {
    const { name = '', namespace } = set.metadata
    return this.#tools.client.patch(replicaSets, { name, namespace }, 'application/merge-patch+json', patch)
  }

  async #cleanUpWhenDone(newSet: ReplicaSet): Promise<void> {
    const status = planCounts(this.#deployment, this.#sets, newSet, this.#tools.clock.now())
    if (isComplete(this.#deployment, status) || isSaturated(this.#deployment, newSet)) await this.#cleanUp(newSet)
  }

  async #cleanUp(newSet: ReplicaSet | undefined): Promise<void> {
    for (const set of planCleanup(this.#deployment, this.#oldSets(newSet))) {
      const { name = '', namespace, uid } = set.metadata
      await this.#tools.client
        .delete(replicaSets, name, namespace, { preconditions: { uid } })
        .catch((error: unknown) => {
          if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
        })
    }
  }

  async #writeCounts(newSet: ReplicaSet | undefined): Promise<undefined> {
    await this.#writeStatus(planCounts(this.#deployment, this.#sets, newSet, this.#tools.clock.now()))
    return undefined
  }

  async #writeRollout(newSet: ReplicaSet | undefined): Promise<number | undefined> {
    const now = this.#tools.clock.now()
    const status = planRolloutStatus(this.#deployment, this.#sets, newSet, now)
    await this.#writeStatus(status)
    return deadlineInMs(this.#deployment, status, now)
  }

  async #writeStatus(counts: DeploymentStatus): Promise<void> {
    const status = withoutZeros(counts, ['terminatingReplicas', 'collisionCount'])
    if (canonicalJson(status) === canonicalJson(this.#deployment.status ?? {})) return
    this.#deployment = await this.#tools.client.updateStatus(deployments, { ...this.#deployment, status })
  }
}
