// The engine's store: SQLite in its home, or an etcd cluster that was named.
import type { Logger } from '../../common/machinery/logger.ts'
import { openEtcdStore } from '../store/etcd/index.ts'
import { openSqliteStore } from '../store/sqlite/index.ts'
import { ClosedError, type Store } from '../store/store.ts'
import { CodedError } from './coded-error.ts'
import { readFlagFile } from './flag-files.ts'
import type { EngineOptions } from './options.ts'
import { programFiles } from './program-files.ts'
import { openStoreOrExplain } from './store-errors.ts'

/** `file`: of the embedded store. */
export async function openEngineStore({ etcd }: EngineOptions, file: string, logger: Logger): Promise<Store> {
  const isOpen = { now: false }
  const onFailure = (error: Error): void => {
    // One that cannot even be opened is explained by the error of opening it.
    if (!isOpen.now) return
    // Nothing can be acknowledged any more: end, so that the next start opens the store afresh.
    logger.error('the store failed', { error })
    process.exit(74)
  }
  const store =
    etcd === undefined
      ? await openStoreOrExplain(file, () =>
          openSqliteStore({
            file,
            logger,
            onFailure,
            ...(programFiles.storeWorker ? { workerUrl: programFiles.storeWorker } : {}),
          }),
        )
      : await openEtcd(etcd, logger, onFailure)
  isOpen.now = true
  return store
}

async function openEtcd(
  { servers = [], prefix, caFile, certFile, keyFile }: NonNullable<EngineOptions['etcd']>,
  logger: Logger,
  onFailure: (error: Error) => void,
): Promise<Store> {
  if (servers.length === 0)
    throw new CodedError(
      'BadArgument',
      '--etcd-… needs --etcd-servers',
      'Name them: --etcd-servers=https://127.0.0.1:2379',
    )
  const read = async (flag: string, path: string | undefined): Promise<string | undefined> =>
    path === undefined ? undefined : readFlagFile(flag, path)
  const [ca, cert, key] = await Promise.all([
    read('etcd-cafile', caFile),
    read('etcd-certfile', certFile),
    read('etcd-keyfile', keyFile),
  ])
  try {
    return await openEtcdStore({
      servers,
      logger,
      onFailure,
      ...(prefix === undefined ? {} : { prefix }),
      tls: {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      },
    })
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
    throw new CodedError(
      'StoreUnusable',
      `--etcd-servers=${servers.join(',')}: ${error.message}`,
      'Check that etcd runs there, and --etcd-cafile, --etcd-certfile and --etcd-keyfile when it asks for certificates.',
      { cause: error },
    )
  }
}
