// One check of the host: what it looked at, what it found, and what to do when that is not good.
import type { HomePaths } from '../../engine/paths.ts'

export interface DiagnosticContext {
  paths: HomePaths
  cache: string
}

export interface Finding {
  verdict: 'good' | 'note' | 'bad'
  /** One line of fact. */
  found: string
  /** What to do; required for anything but good. */
  remedy?: string
}

export interface Diagnostic {
  name: string
  check(context: DiagnosticContext): Promise<Finding>
}
