// The table of field numbers, read when the first protobuf body comes: beside the bundle when built, in build/ from source.
import { readFileSync } from 'node:fs'
import type { WireFacts } from './wire-facts.ts'

const file = 'kubernetes-protobuf.json'
let facts: WireFacts | undefined

export function wireFacts(): WireFacts {
  const bundled = import.meta.url.endsWith('.mjs')
  const url = new URL(bundled ? `./${file}` : `../../../build/generated/${file}`, import.meta.url)
  facts ??= JSON.parse(readFileSync(url, 'utf8')) as WireFacts
  return facts
}
