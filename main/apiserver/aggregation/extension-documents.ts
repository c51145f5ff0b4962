// The OpenAPI documents of extension API servers. The index of v3 is small and tells what has changed; v2, which is large, is read
// only then. An extension without documents is served all the same.
import { gzipSync, gunzipSync } from 'node:zlib'
import { onlyVersion, type V2Document } from '../openapi/merge-extensions.ts'
import type { ExtensionConnections } from './extension-connections.ts'
import type { ExtensionDocuments, ExtensionVersion } from './extension-version.ts'

export function readV2(documents: ExtensionDocuments): Required<V2Document> | undefined {
  return documents.v2 && (JSON.parse(gunzipSync(documents.v2).toString()) as Required<V2Document>)
}

/** The documents as they are now: the same object as `known` when nothing has changed. */
export async function fetchDocuments(
  connections: ExtensionConnections,
  { group, version, spec }: ExtensionVersion,
  known: ExtensionDocuments | undefined,
): Promise<ExtensionDocuments> {
  const [v3, index] = await orNothing(
    connections.getJson(spec, '/openapi/v3').then((answer): [string | undefined, boolean] => {
      const { paths = {} } = answer as { paths?: Record<string, { serverRelativeURL?: string }> }
      return [paths[`apis/${group}/${version}`]?.serverRelativeURL, true]
    }),
    [undefined, false],
  )
  if (known !== undefined && known.v3 === v3 && index) return known
  const v2 = await orNothing(
    connections.getJson(spec, '/openapi/v2').then((answer) => compact(answer as V2Document, group, version)),
    undefined,
  )
  if (known?.v3 === v3 && (v2 === undefined || known?.v2?.equals(v2) === true)) return known ?? { v3, v2 }
  return { v3, v2 }
}

const compact = (document: V2Document, group: string, version: string): Buffer =>
  gzipSync(JSON.stringify(onlyVersion(document, group, version)))

const orNothing = <T>(asked: Promise<T>, nothing: T): Promise<T> => asked.catch(() => nothing)
