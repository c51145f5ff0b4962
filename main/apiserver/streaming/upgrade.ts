// An HTTP/1.1 connection whose client asked to leave HTTP: the raw socket and what has arrived after the head.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

export interface Upgrade {
  readonly req: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}
