// Configuration of authentication and authorization takes effect when its file changes; what cannot be used is told and left.
import type { Logger } from '../../../common/machinery/logger.ts'
import type { AnonymousAccess } from '../../apiserver/auth/authenticator.ts'
import type { ApiServer } from '../../apiserver/apiserver.ts'
import type { EngineOptions } from '../options.ts'
import { readAuthentication } from './authentication.ts'
import { readAuthorizationConfig } from './authorization.ts'
import { onFileChange } from './config-file.ts'

/** Returns how to stop. */
export function reloadAccess(
  options: EngineOptions,
  api: ApiServer,
  { anonymous, logger }: { readonly anonymous: AnonymousAccess; readonly logger: Logger },
): () => void {
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
  keep(
    options.authentication?.configFile,
    () => readAuthentication(options, anonymous),
    (access) => {
      api.authenticateBy(access)
    },
  )
  keep(options.authorization?.configFile, readAuthorizationConfig, (modes) => {
    api.authorizeBy(modes)
  })
  return () => {
    for (const stop of watched) stop()
  }
}
