// A store that cannot be opened, in words: which file, what is wrong, what to do.
import { CorruptStoreError, DiskFullError, type Store } from '../store/store.ts'
import { CodedError, diskFullError, isDiskFull } from './coded-error.ts'

export async function openStoreOrExplain(file: string, open: () => Promise<Store>): Promise<Store> {
  try {
    return await open()
  } catch (error) {
    if (error instanceof CorruptStoreError) {
      throw new CodedError(
        'StoreUnusable',
        `${file} cannot be used: ${error.message}`,
        'Move the file away to start an empty cluster (machines and their disks stay), or put a backup in its place.',
        { cause: error },
      )
    }
    if (error instanceof DiskFullError || isDiskFull(error)) throw diskFullError(file, error)
    throw error
  }
}
