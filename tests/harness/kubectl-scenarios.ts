// Tables of kubectl commands and what they must print, run by every kubectl the project promises to serve. Each scenario has a namespace
// of its own per version, so that all of them can run at once on one control plane.
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultCache } from '../../main/engine/paths.ts'
import { ensureKubectl } from '../../vm-images/host-tools.ts'
import { startControlPlane, type ControlPlane } from './control-plane.ts'
import { eventually } from './eventually.ts'
import { run, type Outcome } from './programs.ts'

/** `$NS` stands for the scenario's namespace; `$FROM` for the words that newer versions add after "deleted". */
export interface Step {
  /** The words after "kubectl", split at spaces; single quotes hold words together. */
  run: string
  in?: string
  env?: Record<string, string>
  /** Standard output: a string is all of it (but for the last newline), patterns must all match. */
  out?: Expected
  err?: Expected
  /** Exit code; 0 unless said otherwise. */
  code?: number
  /** Repeat until it is as told: for what controllers do meanwhile. */
  until?: true
}
type Expected = string | RegExp | readonly RegExp[]

export interface Scenario {
  title: string
  steps: readonly Step[]
}

/** kubectl by the Debian suite that carries it. */
export const kubectlVersions = [
  { version: '1.32', suite: 'trixie' },
  { version: '1.36', suite: 'sid' },
] as const

export function kubectlScenarios(scenarios: readonly Scenario[]): void {
  let plane: ControlPlane
  const programs = new Map<string, string>()
  beforeAll(async () => {
    plane = await startControlPlane()
    for (const { version, suite } of kubectlVersions)
      programs.set(version, await ensureKubectl({ cache: defaultCache(), suite }))
  })
  afterAll(async () => {
    await plane.stop()
  })
  for (const { version } of kubectlVersions) {
    describe.concurrent(`kubectl ${version}`, () => {
      for (const { title, steps } of scenarios) {
        it(title, async () => {
          const namespace = `${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}-${version.replace('.', '-')}`
          const words = new Map([
            ['$NS', namespace],
            ['$FROM', version === '1.32' ? '' : ` from ${namespace} namespace`],
          ])
          const kubectl = (args: readonly string[], { env, in: input }: Pick<Step, 'env' | 'in'> = {}) =>
            run(
              programs.get(version) ?? '',
              [`--cache-dir=${join(plane.home, `cache-${version}`)}`, `--namespace=${namespace}`, ...args],
              { env: { ...env, KUBECONFIG: plane.paths.kubeconfig, HOME: plane.home }, input },
            )
          await kubectl(['create', 'namespace', namespace])
          for (const step of steps) {
            const told = fill(step, words)
            const once = async (): Promise<true> => {
              compare(told, await kubectl(wordsOf(told.run), told))
              return true
            }
            await (step.until === true ? eventually(told.run, once) : once())
          }
        })
      }
    })
  }
}

function compare({ run: command, out, err, code = 0 }: Step, outcome: Outcome): void {
  const about = `kubectl ${command}\n${outcome.stdout}${outcome.stderr}`
  expect(outcome.code, about).toBe(code)
  for (const [text, expected] of [
    [outcome.stdout, out],
    [outcome.stderr, err],
  ] as const) {
    if (expected === undefined) continue
    if (typeof expected === 'string') expect(text.replace(/\n$/, ''), about).toBe(expected)
    else for (const pattern of [expected].flat()) expect(text, about).toMatch(pattern)
  }
}

function fill(step: Step, words: ReadonlyMap<string, string>): Step {
  const text = (value: string): string => [...words].reduce((filled, [word, by]) => filled.replaceAll(word, by), value)
  const expected = (value: Expected | undefined): Expected | undefined =>
    typeof value === 'string' ? text(value) : value
  return {
    ...step,
    run: text(step.run),
    in: step.in === undefined ? undefined : text(step.in),
    out: expected(step.out),
    err: expected(step.err),
  }
}

function wordsOf(command: string): string[] {
  return [...command.matchAll(/(?:'[^']*'|\S)+/g)].map(([word]) => word.replaceAll("'", ''))
}
