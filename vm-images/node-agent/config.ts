// Reads what the engine gave this machine at boot. A missing or newer config is a reason to stop with one clear line on the console.
import { readFileSync } from 'node:fs'
import { guestPaths, type GuestConfig } from '../../common/channel/guest-config.ts'

export function readConfig(path: string = process.env['ORRERY_MACHINE_CONFIG'] ?? guestPaths.config): GuestConfig {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`cannot read the machine's configuration ${path}: was the config disk attached?`, { cause: error })
  }
  const config = JSON.parse(text) as GuestConfig
  if (Number(config.formatVersion) !== 1)
    throw new Error(`${path} has format ${String(config.formatVersion)}, this agent knows 1: rebuild the node image`)
  return config
}
