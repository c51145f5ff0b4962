import { join } from 'node:path'
import { describeStoreContract } from '../store-contract.ts'
import { openSqliteStore } from './index.ts'

describeStoreContract('sqlite', { open: (directory) => openSqliteStore({ file: join(directory, 'store.db') }) })
// The same again with everything older than the last event read back from the database.
describeStoreContract('sqlite without memory of the past', {
  open: (directory) =>
    openSqliteStore({ file: join(directory, 'store.db'), window: { maxEvents: 1, maxCharacters: 0 } }),
})
