// The running end-to-end lab, as the tests use it.
import { inject } from 'vitest'
import { homePaths, type HomePaths } from '../../main/engine/paths.ts'
import { runningEngine } from '../../main/engine/engine-info.ts'
import { eventually } from './eventually.ts'
import { kubectlFor, orrery, type Outcome, type RunOptions } from './programs.ts'

export interface Lab {
  home: string
  paths: HomePaths
  kubectl: (args: string | readonly string[], options?: RunOptions) => Promise<Outcome>
  /** kubectl that must succeed; resolves with its standard output. */
  ok: (args: string | readonly string[], options?: RunOptions) => Promise<string>
  json: <T>(args: string) => Promise<T>
  orrery: (args: readonly string[], options?: RunOptions) => Promise<Outcome>
  server: () => Promise<string>
  /** Node names by architecture. */
  node: (arch: 'amd64' | 'arm64') => Promise<string>
  deploymentReady: (name: string, namespace?: string) => Promise<void>
}

/** Emulated nodes on a loaded host: a pod's start was measured at 3 to 15 s. */
export const podDeadlineMs = 240_000

export async function openLab(): Promise<Lab> {
  const home = inject('home')
  const paths = homePaths(home)
  const tool = await kubectlFor(paths.kubeconfig, home)
  const json = async <T>(args: string): Promise<T> => JSON.parse(await tool.ok(`${args} -o json`)) as T
  return {
    home,
    paths,
    kubectl: tool.run,
    ok: tool.ok,
    json,
    orrery: (args, options) => orrery(home, args, options),
    async server() {
      const info = await runningEngine(paths)
      if (!info) throw new Error('the engine does not run')
      return info.server
    },
    async node(arch) {
      const { items } = await json<{ items: { metadata: { name: string } }[] }>(
        `get nodes -l kubernetes.io/arch=${arch}`,
      )
      const name = items[0]?.metadata.name
      if (name === undefined) throw new Error(`no ${arch} node`)
      return name
    },
    async deploymentReady(name, namespace = 'default') {
      const ready = async (): Promise<boolean> => {
        const { spec, status } = await json<{
          spec: { replicas: number }
          status: { readyReplicas?: number; updatedReplicas?: number; replicas?: number }
        }>(`get deployment ${name} -n ${namespace}`)
        return (
          status.readyReplicas === spec.replicas &&
          status.updatedReplicas === spec.replicas &&
          status.replicas === spec.replicas
        )
      }
      await eventually(`deployment ${name} ready`, ready, { deadlineMs: podDeadlineMs, everyMs: 500 }).catch(
        async (error: unknown) => {
          const state = await tool.run(`describe pods -n ${namespace} -l app=${name}`)
          throw new Error(`${String(error)}\n${state.stdout.slice(-5000)}`, { cause: error })
        },
      )
    },
  }
}
