// Where a terminal's stream is, per kind of target.
import type { StreamQuery } from '../../api/streams.ts'
import type { TerminalTarget } from '../../stores/terminals.ts'

/** The best shell the image has, with colours. */
const podCommand = [
  'sh',
  '-c',
  'export TERM=xterm-256color; if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi',
]

const lab = '/apis/lab.orrery.dev/v1alpha1'

/** `session` names a shell that the engine keeps while nobody is attached. */
export function terminalAddress(
  target: TerminalTarget,
  size: { columns: number; rows: number },
  session: string,
): { path: string; query: StreamQuery } {
  const cols = size.columns
  const { rows } = size
  switch (target.type) {
    case 'pod':
      return {
        path: `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}/exec`,
        query: { container: target.container, command: podCommand, stdin: true, stdout: true, tty: true },
      }
    case 'node':
      return { path: `${lab}/machines/${encodeURIComponent(target.machine)}/shell`, query: { cols, rows } }
    case 'console':
      return { path: `${lab}/machines/${encodeURIComponent(target.machine)}/console`, query: {} }
    case 'host':
      return { path: `${lab}/labs/default/shell`, query: { cols, rows, session } }
  }
}
