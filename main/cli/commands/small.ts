import { spawn } from 'node:child_process'
import { createReadStream, existsSync } from 'node:fs'
import { once } from 'node:events'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { CodedError } from '../../engine/coded-error.ts'
import { defaultHome, homePaths } from '../../engine/paths.ts'
import { kubernetesVersion, orreryVersion } from '../../engine/version.ts'
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

export function logsCommand(): Command {
  return new Command('logs')
    .description("the engine's log, JSON lines")
    .option('-f, --follow', 'keep printing as it grows')
    .action(async (options: { follow?: boolean }) => {
      const { engineLog } = homePaths(defaultHome())
      if (!existsSync(engineLog))
        throw new CodedError('NotRunning', `There is no log yet at ${engineLog}.`, 'Start the lab with: orrery up')
      if (options.follow) await once(spawn('tail', ['-n', '+1', '-F', engineLog], { stdio: 'inherit' }), 'exit')
      else await pipeline(createReadStream(engineLog), process.stdout, { end: false })
    })
}

export function versionCommand(): Command {
  return new Command('version').description('versions of this program and of the API it serves').action(() => {
    print(`orrery ${orreryVersion}`)
    print(`kubernetes API ${kubernetesVersion}`)
    print(`node ${process.version}`)
  })
}
