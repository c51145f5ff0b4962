// SPDY header blocks of one session: a single zlib stream, each block ended by a sync flush.
import { constants, createInflate } from 'node:zlib'
import { maxHeaderBlockBytes, type HeaderInflater } from '../../../common/streaming/spdy/index.ts'

export function newInflater(dictionary: Uint8Array): HeaderInflater {
  const inflate = createInflate({ dictionary, flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH })
  let broken: Error | undefined
  let collected: Buffer[] = []
  inflate.on('error', (error) => {
    broken = error
  })
  inflate.on('data', (chunk: Buffer) => {
    collected.push(chunk)
  })
  return {
    inflate(bytes) {
      return new Promise((resolve, reject) => {
        inflate.write(bytes, (error) => {
          const block = Buffer.concat(collected)
          collected = []
          if (error ?? broken) reject(error ?? broken ?? new Error('inflate failed'))
          else if (block.length > maxHeaderBlockBytes) reject(new Error('header block too large'))
          else resolve(block)
        })
      })
    },
    close() {
      inflate.close()
    },
  }
}
