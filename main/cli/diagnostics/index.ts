// Every diagnostic is one export of one file and one line here.
import type { Diagnostic } from './diagnostic.ts'
import { accelerator } from './accelerator.ts'
import { engine, port } from './engine.ts'
import { cacheDisk, homeDisk, memory } from './host.ts'
import { qemuAmd64, qemuArm64, qemuImg } from './qemu.ts'

export const diagnostics: readonly Diagnostic[] = [
  qemuAmd64,
  qemuArm64,
  qemuImg,
  accelerator,
  memory,
  homeDisk,
  cacheDisk,
  port,
  engine,
]
