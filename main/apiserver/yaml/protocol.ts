// What the main thread and the YAML worker say to each other.

import type { YamlLimits } from './read-yaml.ts'

export interface YamlQuestion {
  readonly text: string
  readonly limits: YamlLimits
  /** Aliases make a small text say a lot: longer JSON is refused. */
  readonly maxJsonLength: number
}

export type YamlReply =
  | { readonly json: string; readonly duplicates: readonly string[] }
  | { readonly problem: string; readonly tooLarge: boolean }
