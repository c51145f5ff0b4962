import { rm } from 'node:fs/promises'
import { Command } from 'commander'
import { lockHolder } from '../../engine/home-lock.ts'
import { defaultHome, homePaths, type HomePaths } from '../../engine/paths.ts'
import { CodedError } from '../../engine/coded-error.ts'
import { runningEngine } from '../../engine/engine-info.ts'
import { connectEngine } from '../engine-client.ts'
import { print } from '../output.ts'

/** Machines get this long to power off before they are cut; the engine's own stop is quick. */
const stopDeadlineMs = 90_000

async function stopEngine(paths: HomePaths, machines: 'stop' | 'keep'): Promise<boolean> {
  const info = await runningEngine(paths)
  if (!info) return false
  const engine = await connectEngine(paths)
  await engine.call('POST', '/apis/lab.orrery.dev/v1alpha1/labs/default/shutdown', { machines })
  engine.close()
  const deadline = Date.now() + stopDeadlineMs
  while ((await lockHolder(paths.lock)) !== undefined) {
    if (Date.now() > deadline)
      throw new CodedError(
        'Timeout',
        `The engine (process ${String(info.pid)}) did not stop within ${String(stopDeadlineMs / 1000)} s.`,
        `See ${paths.engineLog}`,
      )
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return true
}

export function downCommand(): Command {
  return new Command('down')
    .description('power the machines off and stop the engine; disks and all objects stay')
    .option('--keep-machines', 'stop only the engine; machines go on running and the next engine takes them over')
    .action(async (options: { keepMachines?: boolean }) => {
      const paths = homePaths(defaultHome())
      const stopped = await stopEngine(paths, options.keepMachines ? 'keep' : 'stop')
      print(stopped ? 'The lab is stopped. "orrery up" continues where it was.' : 'Nothing was running.')
    })
}

export function destroyCommand(): Command {
  return new Command('destroy')
    .description('stop the lab and delete everything of it: machines, disks, objects, keys')
    .option('-y, --yes', 'do not ask')
    .action(async (options: { yes?: boolean }) => {
      const paths = homePaths(defaultHome())
      if (!options.yes) {
        throw new CodedError(
          'BadArgument',
          `This deletes the whole lab in ${paths.home}: machines, disks, objects, keys.`,
          'If you mean it: orrery destroy --yes',
        )
      }
      await stopEngine(paths, 'stop')
      // Only what an engine writes is removed; a home that is something else stays.
      for (const part of [
        paths.machines,
        paths.pki,
        paths.registry,
        `${paths.home}/store`,
        `${paths.home}/logs`,
        paths.kubeconfig,
        paths.engineInfo,
        paths.lock,
        paths.accelerators,
        `${paths.home}/sessions.json`,
        `${paths.home}/listen.json`,
      ]) {
        await rm(part, { recursive: true, force: true })
      }
      print('The lab is gone. "orrery up" makes a new one.')
    })
}
