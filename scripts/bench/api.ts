// API throughput of a control plane alone, with an outside load generator: starts `orrery engine --no-machines` on a new home, runs the
// generator's commands against it and prints one line per step with the server's CPU per request.
// Usage: node scripts/bench/api.ts LOAD_GENERATOR.mjs [COMMAND ARGS…]      e.g. … load.mjs create --kind configmaps --n 2000 --c 1,16,64
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runningEngine } from '../../main/engine/engine-info.ts'
import { homePaths } from '../../main/engine/paths.ts'
import { programFiles } from '../../main/engine/program-files.ts'
import { describeMachine, residentMB } from './machine.ts'

const [generator, ...args] = process.argv.slice(2)
if (generator === undefined) throw new Error('usage: api.ts LOAD_GENERATOR.mjs [COMMAND ARGS…]')
const home = await mkdtemp(join(tmpdir(), 'orrery-bench-'))
const paths = homePaths(home)
const child = spawn(process.execPath, [programFiles.engine, '--no-machines'], {
  env: { ...process.env, ORRERY_HOME: home },
  stdio: 'ignore',
})
try {
  const deadline = Date.now() + 60_000
  let server: string | undefined
  while (server === undefined) {
    server = (await runningEngine(paths))?.server
    if (Date.now() > deadline) throw new Error('the engine did not become ready within 60 s')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { token } = JSON.parse(await readFile(paths.adminToken, 'utf8')) as { token: string }
  const commands =
    args.length > 0
      ? [args]
      : [
          ['create', '--kind', 'configmaps', '--n', '3000', '--c', '1,16,64'],
          ['create', '--kind', 'pods', '--n', '2000', '--c', '16'],
          ['get', '--n', '4000', '--c', '16'],
          ['patch', '--type', 'merge', '--n', '3000', '--c', '16'],
          ['update', '--n', '2000', '--c', '16'],
          ['delete', '--n', '3000', '--c', '16'],
          ['list', '--reps', '5'],
          ['watch'],
        ]
  console.log(describeMachine())
  for (const command of commands) {
    const result = spawnSync(
      process.execPath,
      [generator, ...command, '--base', server, '--insecure', '--token', token, '--pids', String(child.pid)],
      { encoding: 'utf8', timeout: 300_000, maxBuffer: 64 << 20 },
    )
    console.log(
      `\n# ${command.join(' ')}\n${result.stdout.trim()}${result.status === 0 ? '' : `\nexit ${String(result.status)}: ${result.stderr}`}`,
    )
  }
  console.log(`\nRSS after all: ${residentMB(child.pid ?? 0).toFixed(0)} MB`)
} finally {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
  await rm(home, { recursive: true, force: true })
}
