import { createReadStream, existsSync } from 'node:fs'
import { stat, watch } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { CodedError } from '../../engine/coded-error.ts'
import { defaultHome, homePaths } from '../../engine/paths.ts'
import { kubernetesVersion } from '../../../common/api/kubernetes-version.ts'
import { orreryVersion } from '../../engine/version.ts'
import { connectEngine, notRunning } from '../engine-client.ts'
import { print } from '../output.ts'

export function kubeconfigCommand(): Command {
  return new Command('kubeconfig').description('print the path of the kubeconfig').action(() => {
    const paths = homePaths(defaultHome())
    if (!existsSync(paths.kubeconfig)) throw notRunning(paths)
    print(paths.kubeconfig)
  })
}

export function uiCommand(): Command {
  return new Command('ui')
    .description('print a link into the window; it signs in once, within ten minutes')
    .action(async () => {
      const engine = await connectEngine(homePaths(defaultHome()))
      try {
        const { url } = await engine.call<{ url: string }>('POST', '/apis/lab.orrery.dev/v1alpha1/labs/default/signin')
        print(url)
      } finally {
        engine.close()
      }
    })
}

/** Prints a file from an offset on; resolves with where it ended. */
async function copyFrom(file: string, start: number): Promise<number> {
  const stream = createReadStream(file, { start })
  await pipeline(stream, process.stdout, { end: false })
  return start + stream.bytesRead
}

export function logsCommand(): Command {
  return new Command('logs')
    .description("the engine's log, JSON lines")
    .option('-f, --follow', 'keep printing as it grows')
    .action(async (options: { follow?: boolean }) => {
      const { engineLog } = homePaths(defaultHome())
      if (!existsSync(engineLog))
        throw new CodedError('NotRunning', `There is no log yet at ${engineLog}.`, 'Start the lab with: orrery up')
      let position = await copyFrom(engineLog, 0)
      if (!options.follow) return
      for await (const _change of watch(engineLog)) {
        const { size } = await stat(engineLog)
        // Shorter than before: a new log began.
        position = await copyFrom(engineLog, size < position ? 0 : position)
      }
    })
}

export function versionCommand(): Command {
  return new Command('version').description('versions of this program and of the API it serves').action(() => {
    print(`orrery ${orreryVersion}`)
    print(`kubernetes API v${kubernetesVersion}`)
    print(`node ${process.version}`)
  })
}
