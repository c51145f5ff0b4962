// The words for OpenAPI documents. They are read when documents are made and not kept: 2,600 texts would be most of an idle server.
import { readFileSync } from 'node:fs'
import type { Descriptions } from '../../../common/api/descriptions.ts'

const file = 'descriptions.json'

export function loadDescriptions(): Descriptions {
  const bundled = import.meta.url.endsWith('.mjs')
  const url = new URL(bundled ? `./${file}` : `../../../common/api/generated/${file}`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as Descriptions
}
