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

const endpoints = ['healthz', 'livez', 'readyz'] as const

export class Health {
  readonly #checks: readonly HealthCheck[]

  constructor(checks: readonly HealthCheck[]) {
    this.#checks = checks
  }

  results(): { name: string; type: string; problem: string | undefined }[] {
    return endpoints.flatMap((type) =>
      this.#checksOf(type).map((check) => ({ name: check.name, type, problem: check.check() })),
    )
  }

  /** All paths, for the index of "/". */
  paths(): string[] {
    return endpoints.flatMap((type) => [`/${type}`, ...this.#checksOf(type).map(({ name }) => `/${type}/${name}`)])
  }

  async serve({ to, path, query }: PathRequest): Promise<void> {
    const [, endpoint = '', ...rest] = path.split('/')
    const checks = this.#checksOf(endpoint)
    const name = rest.join('/')
    if (name !== '') {
      const check = checks.find((candidate) => candidate.name === name)
      if (check === undefined) await sendText(to, 404, '404 page not found\n')
      else {
        const problem = check.check()
        if (problem === undefined) await sendText(to, 200, 'ok')
        else await sendText(to, 500, `internal server error: ${problem}\n`)
      }
      return
    }
    const excluded = query.getAll('exclude').flatMap((names) => names.split(','))
    const unknown = excluded.filter((wanted) => !checks.some((check) => check.name === wanted))
    const lines: string[] = []
    let failed = false
    for (const check of checks) {
      if (excluded.includes(check.name)) {
        lines.push(`[+]${check.name} excluded: ok`)
        continue
      }
      const problem = check.check()
      failed ||= problem !== undefined
      lines.push(problem === undefined ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`)
    }
    if (unknown.length > 0)
      lines.push(
        `warn: some health checks cannot be excluded: no matches for ${unknown.map((each) => JSON.stringify(each)).join(', ')}`,
      )
    if (failed) await sendText(to, 500, `${lines.join('\n')}\n${endpoint} check failed\n`)
    else if (query.has('verbose')) await sendText(to, 200, `${lines.join('\n')}\n${endpoint} check passed\n`)
    else await sendText(to, 200, 'ok')
  }

  #checksOf(endpoint: string): readonly HealthCheck[] {
    return this.#checks.filter(({ readyOnly }) => endpoint === 'readyz' || readyOnly !== true)
  }
}
