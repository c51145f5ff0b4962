// The inflater that SPDY header blocks need, over node:zlib: one zlib stream per session, one block per call.
import { createInflate } from 'node:zlib'
import {
  type HeaderInflater,
  maxHeaderBlockBytes,
  type NewHeaderInflater,
} from '../../../common/streaming/spdy/index.ts'

export const newNodeInflater: NewHeaderInflater = (dictionary): HeaderInflater => {
  const inflate = createInflate({ dictionary })
  let chunks: Buffer[] = []
  let size = 0
  let failure: Error | undefined
  inflate.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxHeaderBlockBytes) inflate.destroy(new RangeError('a SPDY header block is too large'))
    else chunks.push(chunk)
  })
  inflate.on('error', (error) => {
    failure = error
  })
  return {
    inflate: (bytes) =>
      new Promise((resolve, reject) => {
        chunks = []
        size = 0
        inflate.write(bytes, (error) => {
          const problem = error ?? failure
          if (problem !== undefined && problem !== null) reject(problem)
          else resolve(Buffer.concat(chunks))
        })
      }),
    close: () => {
      inflate.destroy()
    },
  }
}
