// Writes that are whole or absent after a kill at any moment: temporary file, fsync, rename.
import { open, rename, rm } from 'node:fs/promises'

let counter = 0

export async function writeFileAtomic(
  file: string,
  content: string | Uint8Array,
  options: { mode?: number } = {},
): Promise<void> {
  counter += 1
  const temporary = `${file}.${String(process.pid)}.${String(counter)}.tmp`
  const handle = await open(temporary, 'w', options.mode ?? 0o644)
  try {
    await handle.writeFile(content)
    await handle.sync()
    await handle.close()
    await rename(temporary, file)
  } catch (error) {
    await handle.close().catch(() => undefined)
    await rm(temporary, { force: true })
    throw error
  }
}
