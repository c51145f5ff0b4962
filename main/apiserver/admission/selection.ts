// Which admission plugins run.
import type { PluginConfiguration } from './configuration.ts'

/** As the flags --enable-admission-plugins and --disable-admission-plugins give it: plugins besides, and without, the default ones. */
export interface AdmissionSelection {
  /** By the plugin's name. */
  readonly configurations?: ReadonlyMap<string, PluginConfiguration>
  readonly enable?: readonly string[]
  readonly disable?: readonly string[]
}
