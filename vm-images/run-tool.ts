// Runs the host programs that image building needs (xz, gpgv, mkfs.erofs, …); a missing one is answered with the package to install.
import { spawn } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import { BuildProblem } from './problem.ts'

/** Host programs used by the builds and the Debian package that brings each. */
export const hostTools = {
  xz: 'xz-utils',
  gpgv: 'gpgv',
  'mkfs.erofs': 'erofs-utils',
  'mkfs.ext4': 'e2fsprogs',
  'qemu-img': 'qemu-utils',
} as const

const toolPath = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/local/sbin`
const toolEnv = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: toolPath, LC_ALL: 'C', XZ_OPT: '', XZ_DEFAULTS: '' })

function missingTool(name: string, cause?: unknown): BuildProblem {
  const known = Object.entries(hostTools).find(([tool]) => tool === name)
  return new BuildProblem({
    code: 'MissingTool',
    message: `${name} is not installed`,
    hint: known === undefined ? `Install ${name}.` : `Install it: apt-get install ${known[1]}`,
    cause,
  })
}

/** Runs to the end; resolves with what it printed (both streams, at most 1 MiB). Throws BuildProblem when it fails. */
export async function runTool(
  name: string,
  args: readonly string[],
  options: { signal?: AbortSignal; cwd?: string } = {},
): Promise<string> {
  const child = spawn(name, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: toolEnv(),
    signal: options.signal,
    cwd: options.cwd,
  })
  let output = ''
  const keep = (chunk: Buffer): void => {
    if (output.length < 1 << 20) output += chunk.toString()
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const code = await finished(child, name)
  if (code !== 0)
    throw new BuildProblem({
      code: 'ToolFailed',
      message: `${name} failed with ${String(code)}: ${output.trim().split('\n').slice(-5).join(' | ')}`,
      hint: `Run it by hand to see why: ${name} ${args.join(' ')}`,
    })
  return output
}

/** Feeds `input` to the program and hands its standard output to `consume`. Throws when either side fails. */
export async function filterThrough(options: {
  tool: string
  args: readonly string[]
  input: Readable
  consume: (output: Readable) => Promise<void>
  signal?: AbortSignal
}): Promise<void> {
  const child = spawn(options.tool, options.args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: toolEnv(),
    signal: options.signal,
  })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString().slice(0, 4096)
  })
  const ended = finished(child, options.tool)
  const fed = pipeline(options.input, child.stdin)
  // The first rejection decides; the others are marked as handled so that they do not surface twice.
  fed.catch(() => undefined)
  ended.catch(() => undefined)
  const code = await Promise.all([ended, options.consume(child.stdout)]).then(([exit]) => exit)
  if (code !== 0)
    throw new BuildProblem({
      code: 'ToolFailed',
      message: `${options.tool} failed: ${stderr.trim()}`,
      hint: 'The input may be damaged; remove it from the cache and start again.',
    })
  await fed
}

/** True when the program can be started. */
export async function hasTool(name: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(name, ['--version'], { stdio: 'ignore', env: toolEnv() })
    child.on('error', () => {
      resolve(false)
    })
    child.on('exit', () => {
      resolve(true)
    })
  })
}

function finished(child: ReturnType<typeof spawn>, name: string): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      const code = 'code' in error ? error.code : undefined
      if (code === 'ENOENT') reject(missingTool(name, error))
      else if (error.name === 'AbortError')
        reject(
          new BuildProblem({
            code: 'Aborted',
            message: `${name} was stopped`,
            hint: 'Start again to continue.',
            cause: error,
          }),
        )
      else reject(error)
    })
    child.on('close', (code, signal) => {
      resolve(code ?? signal ?? 'unknown')
    })
  })
}
