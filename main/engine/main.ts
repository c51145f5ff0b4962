// Entry of the engine process: signals, start-up errors in plain words, exit codes. Composition is in engine.ts.
import { fileURLToPath } from 'node:url'
import { realpathSync } from 'node:fs'
import { CodedError, diskFullError, engineExitCodes, isDiskFull } from './coded-error.ts'
import { startEngine } from './engine.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { HomeLockedError } from './home-lock.ts'
import { createLogger } from './logging.ts'
import type { EngineOptions } from './options.ts'
import type { StopOptions } from './shutdown.ts'
import { defaultCache, defaultHome, homePaths } from './paths.ts'

/** Runs until it is asked to stop (signal, or labs/shutdown); resolves when everything is down. */
export async function runEngine(options: EngineOptions): Promise<void> {
  const paths = homePaths(options.home)
  const logger = createLogger({
    file: paths.engineLog,
    stderr: options.foreground && options.logLevel === 'debug',
    level: options.logLevel,
  })
  nameFlagsWithoutEffect(options, logger)
  const stopping = Promise.withResolvers<StopOptions>()
  // A second signal while stopping does not cut the machines short; kill -9 is always safe.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      logger.info('stop asked for', { signal })
      stopping.resolve({ machines: 'stop' })
    })
  }
  process.on('unhandledRejection', (error) => {
    logger.error('unhandled rejection', { error })
  })
  process.on('uncaughtException', (error) => {
    // State in memory may be wrong now; everything acknowledged is on disk. Ending is the safe answer, the next start adopts the VMs.
    logger.error('uncaught exception', { error })
    process.stderr.write(`The engine met a bug and ends: ${error.stack ?? error.message}\n`)
    process.exit(engineExitCodes.bug)
  })
  const engine = await startEngine(options, logger, (stop) => {
    stopping.resolve(stop)
  })
  if (options.foreground) {
    process.stderr.write(`Serving the Kubernetes API at ${engine.server}\n  export KUBECONFIG=${paths.kubeconfig}\n`)
  }
  await engine.stop(await stopping.promise)
}

/** What was asked for and is not done must not go unnoticed. */
function nameFlagsWithoutEffect(
  { flagsWithoutEffect = [], changedFeatureGates = [], foreground }: EngineOptions,
  logger: Logger,
): void {
  const notes = [
    ...(flagsWithoutEffect.length === 0
      ? []
      : [`flags without effect here: ${[...new Set(flagsWithoutEffect)].join(' ')}`]),
    ...(changedFeatureGates.length === 0
      ? []
      : [`feature gates without effect here: ${changedFeatureGates.join(' ')}`]),
  ]
  for (const note of notes) {
    logger.warn(note)
    if (foreground) process.stderr.write(`${note}\n`)
  }
}

/** Start-up failures in words; the exit code tells those apart whose words may have found no room on the disk. */
export async function runEngineOrExplain(options: EngineOptions): Promise<never> {
  try {
    await runEngine(options)
    process.exit(0)
  } catch (failure) {
    const error = isDiskFull(failure) ? diskFullError(options.home, failure) : failure
    if (error instanceof CodedError) process.stderr.write(`error: ${error.message}\n  ${error.hint}\n`)
    else if (error instanceof HomeLockedError) process.stderr.write(`error: ${error.message}\n`)
    else process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    if (error instanceof HomeLockedError) process.exit(engineExitCodes.homeLocked)
    process.exit(
      error instanceof CodedError && error.code === 'DiskFull' ? engineExitCodes.diskFull : engineExitCodes.failed,
    )
  }
}

// Run directly (dist/engine.mjs), not imported by the command.
if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url)) &&
  /engine\.mjs$|engine[/\\]main\.ts$/.test(process.argv[1])
) {
  await runEngineOrExplain({
    home: defaultHome(),
    cache: defaultCache(),
    machines: !process.argv.includes('--no-machines'),
    foreground: false,
    logLevel: 'info',
  })
}
