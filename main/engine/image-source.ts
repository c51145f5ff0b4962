// Node images and built-in container images for the engine. In a checkout they are made by the image builder as a process of its own
// (it needs minutes and tools of the host when something is missing, a fraction of a second when nothing is).
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { GuestArch } from '../../common/channel/guest-config.ts'
import type { NodeImage, NodeImageSource } from '../lab/machines/deps.ts'
import { CodedError } from './coded-error.ts'
import { programFiles } from './program-files.ts'

interface BuilderLine {
  progress?: string
  result?: unknown
  error?: string
  hint?: string
}

async function ask<T>(
  args: readonly string[],
  options: { onProgress: (line: string) => void; signal?: AbortSignal; cache: string },
): Promise<T> {
  const child = spawn(process.execPath, [programFiles.imageBuilder, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ORRERY_CACHE: options.cache },
    ...(options.signal ? { signal: options.signal } : {}),
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('utf8')).slice(-4000)
  })
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  // Waited for below; a failure while lines are read must not be unhandled.
  closed.catch(() => undefined)
  let last: BuilderLine = {}
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line) as BuilderLine
    if (last.progress !== undefined) options.onProgress(last.progress)
  }
  const code = await closed
  if (last.result !== undefined && code === 0) return last.result as T
  throw new CodedError(
    'EngineStartFailed',
    last.error ?? `the image builder ended with code ${String(code)}: ${stderr.trim()}`,
    last.hint ?? 'Run npm start in the checkout: it installs what the builder needs.',
  )
}

export function imageSource(
  cache: string,
): NodeImageSource & { containerLayouts(options: { signal: AbortSignal }): Promise<string[]> } {
  const known = new Map<GuestArch, NodeImage>()
  return {
    async nodeImage(arch, { onProgress, signal }) {
      const present = known.get(arch)
      if (present) return present
      const image = await ask<NodeImage>(['node', arch], { onProgress, signal, cache })
      known.set(arch, image)
      return image
    },
    containerLayouts: ({ signal }) => ask<string[]>(['containers'], { onProgress: () => undefined, signal, cache }),
  }
}
