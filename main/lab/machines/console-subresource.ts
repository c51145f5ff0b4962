// machines/{name}/console: the serial console as a stream. Channel 1 carries output, earlier output first; channel 0 is typed into
// the guest. The stream lives as long as its viewer: when the machine goes off it says so and goes on with the next boot.
import { frameChannel } from '../../../common/channel/agent-api.ts'
import { labGroup } from '../../../common/api/lab/v1alpha1.ts'
import type { ChannelStream, ConnectRequest, ConnectSubresource } from '../../apiserver/apiserver.ts'
import { readConsoleTail, type SerialConsole } from '../../vm/console.ts'

export interface ConsoleSource {
  console(name: string): SerialConsole | undefined
  consoleLog(name: string): string
  subscribe(listener: (name: string) => void): () => void
}

const historyBytes = 256 * 1024
/** Output waiting for a viewer that does not keep up; then the oldest is skipped, and the viewer told. */
const maxWaitingBytes = 4 * 1024 * 1024

export function consoleSubresource(source: ConsoleSource): ConnectSubresource {
  return {
    group: labGroup,
    plural: 'machines',
    subresource: 'console',
    methods: ['GET'],
    onStream: (request, channels) => new ConsoleViewer(source, request, channels).run(),
  }
}

class ConsoleViewer {
  readonly #source: ConsoleSource
  readonly #request: ConnectRequest
  readonly #channels: ChannelStream
  readonly #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #sending = false
  #attached: SerialConsole | undefined
  #detach: () => void = () => undefined

  constructor(source: ConsoleSource, request: ConnectRequest, channels: ChannelStream) {
    this.#source = source
    this.#request = request
    this.#channels = channels
  }

  async run(): Promise<void> {
    const { name } = this.#request
    if (this.#source.console(name) === undefined) {
      this.#show(await readConsoleTail(this.#source.consoleLog(name), historyBytes))
      this.#note('the machine is off; its next boot is shown here')
    }
    const unsubscribe = this.#source.subscribe((changed) => {
      if (changed === name) this.#attach(0)
    })
    this.#attach(historyBytes)
    try {
      for await (const { channel, payload } of this.#channels.receive()) {
        if (this.#request.signal.aborted) break
        if (channel === frameChannel.stdin) this.#attached?.write(payload)
      }
    } finally {
      unsubscribe()
      this.#detach()
      this.#attached = undefined
      this.#channels.close()
    }
  }

  #attach(history: number): void {
    const console = this.#source.console(this.#request.name)
    if (console === undefined || console === this.#attached) return
    this.#detach()
    this.#attached = console
    this.#detach = console.attach(
      (chunk) => {
        this.#show(chunk)
      },
      { historyBytes: history },
    )
    void console.ended.then(() => {
      if (this.#attached !== console) return
      this.#attached = undefined
      this.#note('the machine went off; its next boot is shown here')
    })
  }

  #note(text: string): void {
    this.#show(Buffer.from(`\r\n\x1b[2m[${text}]\x1b[0m\r\n`))
  }

  #show(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes > maxWaitingBytes) {
      while (this.#waitingBytes > maxWaitingBytes / 2) this.#waitingBytes -= this.#waiting.shift()?.length ?? 0
      const note = Buffer.from('\r\n[output skipped: this viewer did not keep up]\r\n')
      this.#waiting.unshift(note)
      this.#waitingBytes += note.length
    }
    if (!this.#sending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = true
    try {
      for (let chunk = this.#waiting.shift(); chunk !== undefined; chunk = this.#waiting.shift()) {
        this.#waitingBytes -= chunk.length
        await this.#channels.send(frameChannel.stdout, chunk)
      }
    } catch {
      // The viewer is gone; receive() ends too.
      this.#waiting.length = 0
    } finally {
      this.#sending = false
    }
  }
}
