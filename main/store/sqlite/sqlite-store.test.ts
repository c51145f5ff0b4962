import { join } from 'node:path'
import { describeStoreContract } from '../store-contract.ts'
import { openSqliteStore } from './index.ts'

describeStoreContract('sqlite', { open: (directory) => openSqliteStore({ file: join(directory, 'store.db') }) })
// The same again by way of the commit log, and with everything older than the last event read back from the database.
describeStoreContract('sqlite without memory of the past', {
  open: (directory) =>
    openSqliteStore({
      file: join(directory, 'store.db'),
      commitLogAtOnce: true,
      window: { maxEvents: 1, maxCharacters: 0 },
    }),
})
