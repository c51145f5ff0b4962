// /healthz, /livez and /readyz with their single checks, "[+]name ok" when verbose, as kubectl users read them.
import { sendText } from './chain/respond.ts'
import type { PathRequest } from './routes/paths.ts'

export interface HealthCheck {
  readonly name: string
  /** Part of readiness only: liveness does not wait for it. */
  readonly readyOnly?: boolean
  /** A reason when unhealthy. */
  check(): string | undefined
}

export class Health {
  readonly #checks: readonly HealthCheck[]

  constructor(checks: readonly HealthCheck[]) {
    this.#checks = checks
  }

  async serve({ to, path, query }: PathRequest): Promise<void> {
    const [, endpoint = '', name] = path.split('/')
    const excluded = new Set(query.getAll('exclude'))
    const relevant = this.#checks.filter(
      (check) =>
        (endpoint === 'readyz' || check.readyOnly !== true) &&
        !excluded.has(check.name) &&
        (name === undefined || name === '' || check.name === name),
    )
    if (name !== undefined && name !== '' && relevant.length === 0) {
      await sendText(to, 404, '404 page not found\n')
      return
    }
    const lines: string[] = []
    let failed = false
    for (const check of relevant) {
      const problem = check.check()
      failed ||= problem !== undefined
      lines.push(problem === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: ${problem}`)
    }
    if (failed) await sendText(to, 500, `${lines.join('\n')}\n${endpoint} check failed\n`)
    else if (query.has('verbose')) await sendText(to, 200, `${lines.join('\n')}\n${endpoint} check passed\n`)
    else await sendText(to, 200, 'ok')
  }
}
