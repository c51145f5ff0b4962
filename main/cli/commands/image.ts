import { createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { Command } from 'commander'
import type { ImageImportLine } from '../../../common/api/lab/v1alpha1.ts'
import { images } from '../../../common/client/resources.ts'
import { CodedError } from '../../engine/coded-error.ts'
import { defaultHome, homePaths } from '../../engine/paths.ts'
import { connectEngine } from '../engine-client.ts'
import { print, table } from '../output.ts'

const mebibytes = (bytes = 0): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

export function imageCommand(): Command {
  const command = new Command('image').description('images that every node can run, kept on this computer')
  command
    .command('import')
    .description('take images from an archive (docker save, or an OCI layout as tar; gzip and zstd too)')
    .argument('<file.tar>')
    .action(async (file: string) => {
      await access(file).catch((error: unknown) => {
        throw new CodedError('BadFile', `${file} cannot be read`, 'Make one with: docker save -o image.tar NAME', {
          cause: error,
        })
      })
      const engine = await connectEngine(homePaths(defaultHome()))
      try {
        const lines = engine.upload(
          '/apis/lab.orrery.dev/v1alpha1/labs/default/import',
          createReadStream(file),
          'application/x-tar',
        )
        for await (const line of lines as AsyncIterable<ImageImportLine>) {
          if (line.error !== undefined)
            throw new CodedError(
              'BadFile',
              `${file}: ${line.error}`,
              'Nothing was imported. Archives come from: docker save, skopeo copy … oci-archive:, buildah push … oci-archive:',
            )
          if (line.image) print(`imported ${line.image.reference} ${line.image.digest}`)
        }
      } finally {
        engine.close()
      }
    })
  command
    .command('ls')
    .description('the images there are, with their architectures')
    .action(async () => {
      const engine = await connectEngine(homePaths(defaultHome()))
      try {
        const { items } = await engine.client.list(images)
        const rows = items.map((image) => [
          image.spec.reference,
          (image.status?.platforms ?? []).map((platform) => platform.architecture).join(','),
          mebibytes(image.status?.sizeBytes),
          image.status?.source ?? '',
          image.status?.digest?.slice(0, 19) ?? '',
        ])
        print(
          rows.length === 0
            ? 'No images. Import one with: orrery image import FILE.tar'
            : table(['REFERENCE', 'ARCH', 'SIZE', 'SOURCE', 'DIGEST'], rows),
        )
      } finally {
        engine.close()
      }
    })
  return command
}
