// labs/default/import: POST of an image archive (docker save or OCI layout; plain, gzip or zstd). Answers with JSON lines while it
// reads: {"progress": …} now and then, {"image": {reference, digest}} per image, or {"error": …, "hint": …} as the last line.
import { type ImageImportLine, labGroup } from '../../../common/api/lab/v1alpha1.ts'
import type { ConnectSubresource, HttpResponse } from '../../apiserver/apiserver.ts'
import type { Registry } from '../../registry/registry.ts'

const progressEveryMs = 250

export function importSubresource(registry: Pick<Registry, 'importArchive'>): ConnectSubresource {
  return {
    group: labGroup,
    plural: 'labs',
    subresource: 'import',
    methods: ['POST'],
    async onRequest(request, req, res) {
      res.statusCode = 200
      res.setHeader('content-type', 'application/x-ndjson')
      const say = (line: ImageImportLine): void => {
        writeLine(res, line)
      }
      const abort = (): void => {
        req.destroy(new Error('the client went away'))
      }
      request.signal.addEventListener('abort', abort, { once: true })
      let lastMs = 0
      const name = request.query.get('name')
      try {
        const images = await registry.importArchive(req, {
          ...(name === null ? {} : { name }),
          onProgress(bytes) {
            const nowMs = performance.now()
            if (nowMs - lastMs < progressEveryMs) return
            lastMs = nowMs
            say({ progress: `${(bytes / 1024 / 1024).toFixed(1)} MiB read` })
          },
        })
        for (const image of images) say({ image: { reference: image.name, digest: image.digest } })
      } catch (error) {
        const hint = (error as { hint?: unknown } | undefined)?.hint
        say({
          error: error instanceof Error ? error.message : String(error),
          ...(typeof hint === 'string' ? { hint } : {}),
        })
      } finally {
        request.signal.removeEventListener('abort', abort)
        // What the archive reader left unread must not keep the connection busy.
        req.resume()
        res.end()
      }
    },
  }
}

function writeLine(res: HttpResponse, line: ImageImportLine): void {
  const text = `${JSON.stringify(line)}\n`
  // The two response types share write() but TypeScript cannot call a union of its overloads.
  if ('stream' in res) res.write(text)
  else res.write(text)
}
