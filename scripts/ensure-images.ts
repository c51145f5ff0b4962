// The engine's way to its images in a checkout: prints progress lines, then one line of JSON with the wanted result. Everything is cached
// by content, so that this is quick when nothing is missing; a damaged image is found by its fingerprint and built again.
// Usage: node scripts/ensure-images.ts node amd64 | node scripts/ensure-images.ts containers
import { defaultCache } from '../main/engine/paths.ts'
import { buildNodeImage } from '../vm-images/build.ts'
import { buildImages } from '../vm-images/oci/build-images.ts'
import { describeProgress } from './images.ts'

const [what, arch] = process.argv.slice(2)
const cache = defaultCache()
const say = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
try {
  if (what === 'node' && (arch === 'amd64' || arch === 'arm64')) {
    const image = await buildNodeImage({
      arch,
      cache,
      onProgress: (progress) => {
        say({ progress: describeProgress(progress) })
      },
    })
    say({ result: image })
  } else if (what === 'containers') {
    const built = await buildImages({
      cache,
      onProgress: ({ image, step }) => {
        say({ progress: `${image}: ${step}` })
      },
    })
    say({ result: built.map(({ folder }) => folder) })
  } else throw new Error('usage: ensure-images.ts node amd64|arm64 | containers')
} catch (error) {
  const hint = error instanceof Error && 'hint' in error ? String(error.hint) : undefined
  say({ error: error instanceof Error ? error.message : String(error), ...(hint === undefined ? {} : { hint }) })
  process.exitCode = 1
}
