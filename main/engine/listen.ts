// Which port the engine serves on: the one asked for, the one this home used last, the default, else any free one (and remembers it,
// so that kubeconfig files and browser tabs stay valid over restarts).
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiServer } from '../apiserver/apiserver.ts'
import { writeFileAtomic } from './atomic-file.ts'
import { CodedError } from './coded-error.ts'

export const defaultPort = 7443

const inUse = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === 'EADDRINUSE' || (error as NodeJS.ErrnoException).code === 'EACCES'

async function rememberedPort(file: string): Promise<number | undefined> {
  try {
    const { port } = JSON.parse(await readFile(file, 'utf8')) as { port?: number }
    return port
  } catch {
    return undefined
  }
}

export async function listen(
  server: ApiServer,
  home: string,
  asked: { host: string; port: number } | undefined,
): Promise<{ host: string; port: number }> {
  if (asked) {
    try {
      return await server.listen(asked)
    } catch (error) {
      if (!inUse(error)) throw error
      throw new CodedError(
        'AddressInUse',
        `${asked.host}:${String(asked.port)} is in use by another program.`,
        'Choose another with --listen 127.0.0.1:PORT, or port 0 for any free one.',
        { cause: error },
      )
    }
  }
  const file = join(home, 'listen.json')
  const remembered = await rememberedPort(file)
  const host = '127.0.0.1'
  for (const port of remembered === undefined ? [defaultPort, 0] : [remembered, 0]) {
    try {
      const address = await server.listen({ host, port })
      if (address.port !== remembered) await writeFileAtomic(file, JSON.stringify({ port: address.port }))
      return address
    } catch (error) {
      if (!inUse(error)) throw error
    }
  }
  throw new CodedError(
    'AddressInUse',
    'No free port was found on 127.0.0.1.',
    'Close programs that listen on many ports, then try again.',
  )
}
