import { Command } from 'commander'
import { machines } from '../../../common/client/resources.ts'
import { defaultHome, homePaths } from '../../engine/paths.ts'
import { connectEngine } from '../engine-client.ts'
import { streamTerminal } from '../stream-terminal.ts'

async function attach(machine: string, subresource: 'console' | 'shell'): Promise<void> {
  const engine = await connectEngine(homePaths(defaultHome()))
  try {
    await engine.client.get(machines, machine)
    const { columns = 80, rows = 24 } = process.stdout
    // Piped input is a script: no terminal, output and errors apart.
    const tty = Boolean(process.stdin.isTTY)
    const query = subresource === 'shell' ? `?cols=${String(columns)}&rows=${String(rows)}&tty=${String(tty)}` : ''
    const socket = engine.open(
      `/apis/lab.orrery.dev/v1alpha1/machines/${encodeURIComponent(machine)}/${subresource}${query}`,
    )
    process.exitCode = await streamTerminal(socket, {
      kind: subresource === 'console' ? 'console' : tty ? 'terminal' : 'script',
    })
  } finally {
    engine.close()
  }
}

export function consoleCommand(): Command {
  return new Command('console')
    .description("a machine's serial console, from its first boot message on (Ctrl-] leaves)")
    .argument('<machine>')
    .action((machine: string) => attach(machine, 'console'))
}

export function shellCommand(): Command {
  return new Command('shell')
    .description('a root shell on a node, outside its pods (Ctrl-] leaves); runs a script when input is piped')
    .argument('<machine>')
    .action((machine: string) => attach(machine, 'shell'))
}
