import { Command, Option } from 'commander'
import { machines, nodes, pods } from '../../../common/client/resources.ts'
import { defaultHome, homePaths } from '../../engine/paths.ts'
import { connectEngine } from '../engine-client.ts'
import { print, printJson, table } from '../output.ts'

/** Stable: fields are added, never renamed. */
interface LabReport {
  engine: { pid: number; version: string; server: string; startedAt: string }
  kubeconfig: string
  machines: {
    name: string
    arch: string
    phase: string
    message: string
    nodeReady: boolean
    address: string
    accelerator: string
    pods: number
    bootMs: Record<string, number>
    boots: number
    crashes: number
  }[]
}

export function statusCommand(): Command {
  return new Command('status')
    .description('the engine, its machines and what each is waiting for')
    .addOption(new Option('-o, --output <format>', 'json for scripts').choices(['json']))
    .action(async (options: { output?: 'json' }) => {
      const paths = homePaths(defaultHome())
      const engine = await connectEngine(paths)
      try {
        const [machineList, nodeList, podList] = await Promise.all([
          engine.client.list(machines),
          engine.client.list(nodes),
          engine.client.list(pods),
        ])
        const report: LabReport = {
          engine: {
            pid: engine.info.pid,
            version: engine.info.version,
            server: engine.info.server,
            startedAt: engine.info.startedAt,
          },
          kubeconfig: paths.kubeconfig,
          machines: machineList.items.map((machine) => {
            const name = machine.metadata.name ?? ''
            const node = nodeList.items.find((candidate) => candidate.metadata.name === name)
            const { status = {} } = machine
            return {
              name,
              arch: machine.spec.arch,
              phase: status.phase ?? 'Pending',
              message: status.message ?? '',
              nodeReady:
                node?.status?.conditions?.some(
                  (condition) => condition.type === 'Ready' && condition.status === 'True',
                ) ?? false,
              address: status.lanAddress ?? '',
              accelerator: status.accelerator ?? '',
              pods: podList.items.filter((pod) => pod.spec?.nodeName === name).length,
              bootMs: status.bootMs ?? {},
              boots: status.boots ?? 0,
              crashes: status.crashes ?? 0,
            }
          }),
        }
        if (options.output === 'json') {
          printJson(report)
          return
        }
        print(`Engine ${report.engine.version}, process ${String(report.engine.pid)}, ${report.engine.server}`)
        print(`Kubeconfig ${report.kubeconfig}`)
        print('')
        if (report.machines.length === 0) {
          print('No machines yet. "orrery up" makes two, or apply a Machine with kubectl.')
          return
        }
        const rows = report.machines.map((machine) => [
          machine.name,
          machine.arch,
          machine.nodeReady ? 'Ready' : machine.phase,
          machine.address,
          String(machine.pods),
          machine.accelerator,
          machine.message,
        ])
        print(table(['MACHINE', 'ARCH', 'STATE', 'ADDRESS', 'PODS', 'ACCELERATOR', 'NOTE'], rows))
      } finally {
        engine.close()
      }
    })
}
