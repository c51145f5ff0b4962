// Access modes of volumes as kubectl abbreviates them.

const short: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
}

/** "RWO,ROX", each once, in the order of the table. */
export const shortAccessModes = (modes: readonly string[] = []): string =>
  Object.entries(short)
    .filter(([mode]) => modes.includes(mode))
    .map(([, text]) => text)
    .join(',')
