// The file of --scheduler-config.
import { parse as parseYaml } from 'yaml'
import type { SchedulerConfiguration } from '../scheduler/configuration/profile.ts'
import { readSchedulerConfiguration } from '../scheduler/configuration/read.ts'
import { readConfigFile } from './access/config-file.ts'

/** Throws CodedError BadFile that names the field. */
export function schedulerConfigurationOf(file: string): Promise<SchedulerConfiguration> {
  return readConfigFile('scheduler-config', file, (text) => readSchedulerConfiguration(parseYaml(text)))
}
