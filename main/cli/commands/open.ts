import { Command, InvalidArgumentError, Option } from 'commander'
import { services } from '../../../common/client/resources.ts'
import { CodedError } from '../../engine/coded-error.ts'
import { defaultHome, homePaths } from '../../engine/paths.ts'
import { connectEngine, type EngineClient } from '../engine-client.ts'
import { print, table } from '../output.ts'

const path = '/apis/lab.orrery.dev/v1alpha1/labs/default/forwards'

interface Forward {
  id: string
  url: string
  localPort: number
  kind: string
  namespace: string
  name: string
  port: number | string
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new InvalidArgumentError('a port is a number from 1 to 65535.')
  return port
}

async function firstPort(engine: EngineClient, name: string, namespace: string): Promise<number> {
  const service = await engine.client.get(services, name, namespace)
  const port = service.spec?.ports?.[0]?.port
  if (port === undefined)
    throw new CodedError(
      'BadArgument',
      `service "${name}" has no ports`,
      'Name a pod and port instead: orrery open pod/NAME PORT',
    )
  return port
}

interface OpenOptions {
  namespace: string
  localPort?: number
  close?: boolean
}

export function openCommand(): Command {
  return new Command('open')
    .description("open a Service's or pod's port on this computer; without arguments lists what is open")
    .argument('[target]', 'service/NAME or pod/NAME')
    .argument('[port]', "port number, or a Service port's name; default: the Service's first")
    .option('-n, --namespace <name>', 'namespace', 'default')
    .addOption(
      new Option('-p, --local-port <port>', 'port on this computer (default: any free one)').argParser(parsePort),
    )
    .option('--close', 'close it again')
    .action(async (target: string | undefined, port: string | undefined, options: OpenOptions) => {
      const engine = await connectEngine(homePaths(defaultHome()))
      try {
        if (target === undefined) {
          const { items } = await engine.call<{ items: Forward[] }>('GET', path)
          const rows = items.map((item) => [
            `${item.kind.toLowerCase()}/${item.name}`,
            item.namespace,
            String(item.port),
            item.url,
          ])
          print(
            rows.length === 0
              ? 'Nothing is open. For example: orrery open service/hello'
              : table(['TARGET', 'NAMESPACE', 'PORT', 'ADDRESS'], rows),
          )
          return
        }
        const match = /^(service|svc|pod|po)\/([^/]+)$/.exec(target)
        if (!match)
          throw new CodedError('BadArgument', `"${target}" is not a target`, 'Write service/NAME or pod/NAME.')
        const kind = match[1]?.startsWith('p') ? 'Pod' : 'Service'
        const name = match[2] ?? ''
        if (kind === 'Pod' && port === undefined)
          throw new CodedError('BadArgument', 'a pod needs a port', `orrery open pod/${name} 80`)
        const number =
          port === undefined
            ? await firstPort(engine, name, options.namespace)
            : /^\d+$/.test(port)
              ? Number(port)
              : port
        if (options.close) {
          const id = `${kind.toLowerCase()}.${options.namespace}.${name}.${String(number)}`
          await engine.call('POST', `${path}?close=${encodeURIComponent(id)}`)
          print(`closed ${target}`)
          return
        }
        const forward = await engine.call<Forward>('POST', path, {
          kind,
          namespace: options.namespace,
          name,
          port: number,
          ...(options.localPort === undefined ? {} : { localPort: options.localPort }),
        })
        print(forward.url)
      } finally {
        engine.close()
      }
    })
}
