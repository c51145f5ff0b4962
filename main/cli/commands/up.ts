import { readFile } from 'node:fs/promises'
import { arch as hostArch } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { GuestArch } from '../../../common/channel/guest-config.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { labs, machines } from '../../../common/client/resources.ts'
import { CodedError } from '../../engine/coded-error.ts'
import { defaultHome, homePaths } from '../../engine/paths.ts'
import { defaultLab, parseLabFile } from '../../lab/lab-file/index.ts'
import { connectEngine } from '../engine-client.ts'
import { applyObject, followToReady } from '../lab-up.ts'
import { print } from '../output.ts'
import { startEngine } from '../start-engine.ts'

const positive =
  (what: string, min: number, max: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`${what}: a whole number from ${String(min)} to ${String(max)}.`)
    return value
  }

function archList(text: string): GuestArch[] {
  return text.split(',').map((arch) => {
    if (arch !== 'amd64' && arch !== 'arm64')
      throw new InvalidArgumentError(`"${arch}" is not an architecture of this lab; use amd64, arm64 or both.`)
    return arch
  })
}

interface UpOptions {
  file?: string
  machines?: number
  arch?: GuestArch[]
  memory?: number
  cpus?: number
  wait: boolean
  timeout: number
}

async function labFromFile(file: string): Promise<KubeObject[]> {
  try {
    return parseLabFile(await readFile(file, 'utf8'), file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new CodedError('BadFile', `${file} does not exist`, 'Check the path given with -f.', { cause: error })
    throw error
  }
}

export function upCommand(): Command {
  return new Command('up')
    .description(
      'start the engine and the lab; with no lab yet, makes one of two machines (this computer’s architecture and the other)',
    )
    .option('-f, --file <lab.yaml>', 'Lab, Machines and any other Kubernetes objects to apply')
    .addOption(
      new Option('--machines <n>', 'number of machines of a new lab (default: 2)').argParser(
        positive('machines', 1, 16),
      ),
    )
    .addOption(new Option('--arch <list>', 'architectures in turn, for example amd64,arm64').argParser(archList))
    .addOption(
      new Option('--memory <MiB>', 'memory of each new machine (default: 512)').argParser(
        positive('memory', 256, 65536),
      ),
    )
    .addOption(new Option('--cpus <n>', 'virtual CPUs of each new machine').argParser(positive('cpus', 1, 16)))
    .option('--wait', 'wait until every node is Ready (the default)', true)
    .option('--no-wait', 'return as soon as the engine has the lab; do not wait for Ready nodes')
    .addOption(
      new Option('--timeout <seconds>', 'give up waiting after this long')
        .argParser(positive('timeout', 1, 86400))
        .default(600),
    )
    .action(async (options: UpOptions) => {
      const paths = homePaths(defaultHome())
      const fromFile = options.file === undefined ? undefined : await labFromFile(options.file)
      await startEngine(paths, [])
      const engine = await connectEngine(paths)
      try {
        const present = await engine.client.list(machines)
        const asked = options.machines ?? options.arch ?? options.memory ?? options.cpus
        const host: GuestArch = hostArch() === 'arm64' ? 'arm64' : 'amd64'
        const wanted =
          fromFile ??
          (present.items.length > 0
            ? []
            : defaultLab({
                hostArch: host,
                machines: options.machines,
                archs: options.arch,
                memoryMiB: options.memory,
                cpus: options.cpus,
              }))
        if (fromFile === undefined && present.items.length > 0 && asked !== undefined) {
          print(
            `The lab has machines already (${present.items.map((machine) => machine.metadata.name ?? '').join(', ')}); --machines, --arch, --memory and --cpus are for a new lab. Add one in the window or with kubectl.`,
          )
        }
        for (const object of wanted) {
          const outcome = await applyObject(engine.client, object)
          print(`${object.kind.toLowerCase()}/${object.metadata.name ?? ''} ${outcome}`)
        }
        if (fromFile === undefined)
          await engine.client.patch(labs, { name: 'default' }, 'application/merge-patch+json', {
            spec: { powerState: 'Running' },
          })
        if (options.wait)
          await followToReady({ client: engine.client, deadlineMs: options.timeout * 1000, onLine: print })
        print(`The lab is up: ${engine.info.server}`)
        print(`  export KUBECONFIG=${paths.kubeconfig}`)
        print('  orrery ui      opens the window')
      } finally {
        engine.close()
      }
    })
}
