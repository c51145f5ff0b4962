// Makes sure an image is on the node before its container is created: pull policy, one pull at a time per image, back-off, the
// kubelet's events, and plain words for the two failures that puzzle learners most (no such image, wrong architecture).
import type { Container, Pod } from '../../../common/api/generated/types.ts'
import type { Clock } from '../../../common/machinery/clock.ts'
import type { GuestArch } from '../../../common/channel/guest-config.ts'
import type { Image } from '../../../build/generated/cri/api_pb.js'
import { ImageService, type Runtime } from '../runtime/runtime.ts'
import { describeError } from '../logger.ts'
import type { ImageUser } from './container-config.ts'
import { explainPullError, isValidReference, normalizeReference } from './image-reference.ts'
import { RestartBackoff, goDuration } from './restart-backoff.ts'
import type { PodEvent } from './pod-event.ts'

export interface PulledImage {
  /** What CreateContainer is given: the image's id. */
  ref: string
  user: ImageUser
}

/** The container waits with this reason and message; retried after `retryMs` (undefined: with the next sync). */
export class ImageError extends Error {
  override readonly name = 'ImageError'
  readonly reason: string
  readonly retryMs: number | undefined
  constructor(reason: string, message: string, retryMs?: number) {
    super(message)
    this.reason = reason
    this.retryMs = retryMs
  }
}

const pullTimeoutMs = 15 * 60_000

export class ImagePuller {
  readonly #runtime: Runtime
  readonly #clock: Clock
  readonly #arch: GuestArch
  readonly #onPulled: () => void
  readonly #backoff = new RestartBackoff()
  readonly #pulls = new Map<string, Promise<string>>()

  constructor(options: { runtime: Runtime; clock: Clock; arch: GuestArch; onPulled: () => void }) {
    this.#runtime = options.runtime
    this.#clock = options.clock
    this.#arch = options.arch
    this.#onPulled = options.onPulled
  }

  async ensure(pod: Pod, container: Container, event: PodEvent): Promise<PulledImage> {
    const image = container.image ?? ''
    const normalized = normalizeReference(image)
    if (!isValidReference(image)) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`
      event('Warning', 'InspectFailed', message, container)
      throw new ImageError('InvalidImageName', message)
    }
    const present = await this.#find(normalized)
    const policy = container.imagePullPolicy ?? (/:latest$|^[^:@]+$/.test(image) ? 'Always' : 'IfNotPresent')
    if (present !== undefined && policy !== 'Always') {
      event(
        'Normal',
        'Pulled',
        `Container image "${image}" already present on machine and can be accessed by the pod`,
        container,
      )
      return pulled(present)
    }
    if (present === undefined && policy === 'Never') {
      const message = `Container image "${image}" is not present with pull policy of Never`
      event('Warning', 'ErrImageNeverPull', message, container)
      throw new ImageError('ErrImageNeverPull', message)
    }
    return pulled(await this.#pull(pod, container, normalized, event))
  }

  async #pull(pod: Pod, container: Container, normalized: string, event: PodEvent): Promise<Image> {
    const image = container.image ?? ''
    const key = `${pod.metadata.uid ?? ''}_${image}`
    const now = this.#clock.now()
    const remaining = this.#backoff.remaining(key, this.#lastFailure.get(key) ?? 0, now)
    if (remaining > 0) {
      const message = `Back-off pulling image "${image}"`
      event('Normal', 'BackOff', message, container)
      throw new ImageError(
        'ImagePullBackOff',
        `${message}: ErrImagePull: ${this.#lastMessage.get(key) ?? ''}`,
        remaining,
      )
    }
    event('Normal', 'Pulling', `Pulling image "${image}"`, container)
    try {
      const shared = this.#pulls.get(normalized)
      const pull = shared ?? this.#startPull(normalized)
      const ref = await pull
      this.#onPulled()
      const found = (await this.#find(ref)) ?? (await this.#find(normalized))
      if (found === undefined) throw new Error(`image "${image}" vanished after it was pulled`)
      const took = seconds(this.#clock.now() - now)
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${String(found.size)} bytes.`,
        container,
      )
      this.#backoff.forget(key)
      this.#lastFailure.delete(key)
      this.#lastMessage.delete(key)
      return found
    } catch (error) {
      const message = explainPullError(image, describeError(error), this.#arch)
      const failedAt = this.#clock.now()
      this.#backoff.next(key, this.#lastFailure.get(key) ?? failedAt, failedAt)
      this.#lastFailure.set(key, failedAt)
      this.#lastMessage.set(key, message)
      event('Warning', 'Failed', `Failed to pull image "${image}": ${message}`, container)
      event('Warning', 'Failed', 'Error: ErrImagePull', container)
      // Shown for a moment; the next look finds the back-off and says so.
      throw new ImageError('ErrImagePull', message, Math.min(1500, this.#backoff.current(key)))
    }
  }

  readonly #lastFailure = new Map<string, number>()
  readonly #lastMessage = new Map<string, string>()

  /** Forgets what it remembers of a pod that is gone. */
  forgetPod(uid: string): void {
    for (const key of this.#lastFailure.keys()) {
      if (!key.startsWith(`${uid}_`)) continue
      this.#lastFailure.delete(key)
      this.#lastMessage.delete(key)
      this.#backoff.forget(key)
    }
  }

  #startPull(normalized: string): Promise<string> {
    const pull = this.#runtime
      .call(ImageService.method.pullImage, { image: { image: normalized } }, { timeoutMs: pullTimeoutMs })
      .then(({ imageRef }) => imageRef)
      .finally(() => this.#pulls.delete(normalized))
    this.#pulls.set(normalized, pull)
    return pull
  }

  async #find(image: string): Promise<Image | undefined> {
    const answer = await this.#runtime.call(ImageService.method.imageStatus, { image: { image } })
    return answer.image
  }
}

function pulled(image: Image): PulledImage {
  return {
    ref: image.id,
    user: { username: image.username, ...(image.uid === undefined ? {} : { uid: image.uid.value }) },
  }
}

/** Durations of pulls as Go prints them: "431ms", "2.153s". */
const seconds = (ms: number): string =>
  ms < 1000 ? `${String(ms)}ms` : ms < 60_000 ? `${String(ms / 1000)}s` : goDuration(ms)
