import { platform as osPlatform } from 'node:os'
import { darwin } from './darwin.ts'
import { linux } from './linux.ts'
import type { Platform } from './platform.ts'
import { windows } from './windows.ts'

export type { Platform, ProcessUsage } from './platform.ts'

/** This computer's. */
export const platform: Platform = osPlatform() === 'darwin' ? darwin : osPlatform() === 'win32' ? windows : linux
