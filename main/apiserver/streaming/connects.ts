// All connect subresources: the pods' streams, proxies, and those the engine brings along. One line each.
import type { ApiServerOptions } from '../apiserver.ts'
import type { Connect } from './connect-table.ts'
import { engineConnect } from './engine-connect.ts'
import { podLog } from './pod-log.ts'
import { portForward } from './port-forward.ts'
import { nodeProxy, podProxy, serviceProxy } from './proxy.ts'
import { remoteCommand } from './remote-command.ts'

/** Keys: "group/plural/subresource". */
export function connectEntries({ nodes, connects }: ApiServerOptions): (readonly [string, Connect])[] {
  return [
    ['/pods/log', podLog(nodes)],
    ['/pods/exec', remoteCommand('exec', nodes)],
    ['/pods/attach', remoteCommand('attach', nodes)],
    ['/pods/portforward', portForward(nodes)],
    ['/pods/proxy', podProxy(nodes)],
    ['/services/proxy', serviceProxy(nodes)],
    ['/nodes/proxy', nodeProxy(nodes)],
    ...connects.map(
      (connect) => [`${connect.group}/${connect.plural}/${connect.subresource}`, engineConnect(connect)] as const,
    ),
  ]
}
