// A store that cannot be opened, in words: which file, what is wrong, what to do.
import { CorruptStoreError, DiskFullError, type Store } from '../store/store.ts'
import { CodedError } from './coded-error.ts'

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
    if (error instanceof DiskFullError || (error as NodeJS.ErrnoException).code === 'ENOSPC') {
      throw new CodedError(
        'DiskFull',
        `No room on the disk that holds ${file}.`,
        'Free some space, then start again; nothing is lost.',
        { cause: error },
      )
    }
    throw error
  }
}
