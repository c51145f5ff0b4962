// Reads YAML for requests: small texts at once, large ones in a thread of their own, because the parser takes a second and more for a
// megabyte and everybody else would wait. The thread starts when it is needed and ends when it is not; whatever happens to it, only
// the request whose text it was reading fails.
import { Worker } from 'node:worker_threads'
import {
  badRequest,
  internalError,
  requestTooLarge,
  StatusError,
  timeoutError,
} from '../../../common/machinery/status.ts'
import type { YamlReply, YamlQuestion } from './protocol.ts'
import { readYaml, TooLargeError, type YamlContent, type YamlLimits } from './read-yaml.ts'

/** In a checkout the source itself; a bundle passes the address of the emitted file instead. */
const sourceUrl = new URL('./worker.ts', import.meta.url)

/** Characters that are read on the main thread: some 30 ms of it at worst. */
const maxInlineLength = 32 * 1024
/** Of the result: four times what a request may say. */
const maxJsonLength = 12 * 1024 * 1024
/** Texts that wait, one of which is being read; each is up to 3 MB and takes some seconds. */
const maxWaiting = 16
const textDeadlineMs = 30_000
const idleMs = 10_000
/** The largest texts of the smallest parts take some 700 MB. */
const maxHeapMiB = 1536

interface Job {
  readonly text: string
  readonly resolve: (content: YamlContent) => void
  readonly reject: (error: StatusError) => void
}

export interface YamlReaderOptions {
  /** The worker's file; a bundle passes its own. */
  readonly workerUrl?: URL | undefined
  /** How long one text may take, in ms. */
  readonly deadlineMs?: number
}

export class YamlReader {
  readonly #limits: YamlLimits
  readonly #workerUrl: URL
  readonly #deadlineMs: number
  /** The first is being read. */
  readonly #jobs: Job[] = []
  #worker: Worker | undefined
  /** Of the text being read, or of the thread that has nothing to do. */
  #timer: NodeJS.Timeout | undefined

  constructor(limits: YamlLimits, { workerUrl = sourceUrl, deadlineMs = textDeadlineMs }: YamlReaderOptions = {}) {
    this.#limits = limits
    this.#workerUrl = workerUrl
    this.#deadlineMs = deadlineMs
  }

  /** Throws StatusError: 400 for what is no YAML, 429 when too many texts wait, 504 for one that takes too long. */
  async read(text: string): Promise<YamlContent> {
    if (text.length <= maxInlineLength) {
      try {
        return readYaml(text, this.#limits)
      } catch (error) {
        throw refusal(error instanceof Error ? error.message : String(error), error instanceof TooLargeError)
      }
    }
    if (this.#jobs.length >= maxWaiting) throw tooMany()
    return await new Promise((resolve, reject) => {
      this.#jobs.push({ text, resolve, reject })
      if (this.#jobs.length === 1) this.#begin()
    })
  }

  close(): void {
    for (const job of this.#jobs.splice(0)) job.reject(internalError('the server is shutting down'))
    this.#end()
  }

  /** The first job is new. */
  #begin(): void {
    clearTimeout(this.#timer)
    const [job] = this.#jobs
    const limit = job === undefined ? idleMs : this.#deadlineMs
    this.#timer = setTimeout(() => {
      this.#end()
      if (job !== undefined)
        this.#finish((waiting) => {
          waiting.reject(timeoutError('the YAML took too long to read'))
        })
    }, limit).unref()
    if (job === undefined) return
    this.#worker ??= this.#start()
    this.#worker.postMessage({ text: job.text, limits: this.#limits, maxJsonLength } satisfies YamlQuestion)
  }

  #finish(settle: (job: Job) => void): void {
    const job = this.#jobs.shift()
    if (job !== undefined) settle(job)
    this.#begin()
  }

  #start(): Worker {
    const worker = new Worker(this.#workerUrl, {
      name: 'yaml',
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
    })
    // The process may end while the thread is there.
    worker.unref()
    const failed = (error: StatusError): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      this.#finish((job) => {
        job.reject(error)
      })
    }
    worker.on('message', (reply: YamlReply) => {
      if (this.#worker === worker)
        this.#finish((job) => {
          settle(job, reply)
        })
    })
    worker.on('error', (error: NodeJS.ErrnoException) => {
      failed(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? refusal('it takes too much memory to read', true)
          : internalError(`the YAML could not be read: ${error.message}`, { cause: error }),
      )
    })
    worker.on('exit', () => {
      failed(internalError('the YAML could not be read: its thread ended'))
    })
    return worker
  }

  #end(): void {
    clearTimeout(this.#timer)
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
  }
}

function settle(job: Job, reply: YamlReply): void {
  if ('problem' in reply) job.reject(refusal(reply.problem, reply.tooLarge))
  else job.resolve({ value: JSON.parse(reply.json), duplicates: reply.duplicates })
}

const refusal = (problem: string, tooLarge: boolean): StatusError =>
  tooLarge
    ? requestTooLarge(`Request entity too large: ${problem}`)
    : badRequest(`couldn't get version/kind; yaml parse error: ${problem}`)

const tooMany = (): StatusError =>
  new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: 'too many large YAML documents are waiting to be read',
    details: { retryAfterSeconds: 1 },
  })
