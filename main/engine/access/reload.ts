// Configuration of authentication and authorization takes effect when its file changes; what cannot be used is told and left.
import type { Logger } from '../../../common/machinery/logger.ts'
import type { ApiServer } from '../../apiserver/apiserver.ts'
import type { EngineOptions } from '../options.ts'
import { readAuthorizationConfig } from './authorization.ts'
import { onFileChange } from './config-file.ts'

/** Returns how to stop. */
export function reloadAccess({ authorization }: EngineOptions, api: ApiServer, logger: Logger): () => void {
  const watched: (() => void)[] = []
  const keep = <T>(file: string | undefined, read: (file: string) => Promise<T>, use: (value: T) => void): void => {
    if (file === undefined) return
    watched.push(
      onFileChange(file, () => {
        read(file)
          .then(use)
          .then(
            () => {
              logger.info('configuration read again', { file })
            },
            (error: unknown) => {
              logger.error('changed configuration cannot be used', { file, error })
            },
          )
      }),
    )
  }
  keep(authorization?.configFile, readAuthorizationConfig, (modes) => {
    api.authorizeBy(modes)
  })
  return () => {
    for (const stop of watched) stop()
  }
}
