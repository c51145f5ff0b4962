// A process made to be killed: writes to the store given as argument as fast as it can and prints each acknowledged write.
// Run by crash.test.ts. Lines: "ack KEY REVISION ID."; the value written is a JSON string starting with ID, "-" a deletion.
import { openSqliteStore } from '../index.ts'

const [file = '', round = '0'] = process.argv.slice(2)
const writers = 8
const store = await openSqliteStore({ file })

function acknowledge(key: string, revision: number, id: string): void {
  process.stdout.write(`ack ${key} ${String(revision)} ${id}.\n`)
}

async function write(writer: number): Promise<never> {
  for (let count = 0; ; count += 1) {
    const id = `${round}-${String(writer)}-${String(count)}`
    const value = JSON.stringify(`${id}-${'x'.repeat((count * 97) % 6000)}`)
    const key = `/solo/${String(writer)}-${String(count % 20)}`
    const pair = `/pair/${String(count % 5)}`
    if (count % 7 === 6) {
      const result = await store.txn([], [{ delete: key }])
      if (result.succeeded) acknowledge(key, result.revision, '-')
    } else if (count % 3 === 2) {
      // Two keys that must always change together.
      const operations = [
        { put: `${pair}/left`, value },
        { put: `${pair}/right`, value },
      ]
      const result = await store.txn([], operations)
      if (result.succeeded) {
        acknowledge(`${pair}/left`, result.revision, id)
        acknowledge(`${pair}/right`, result.revision, id)
      }
    } else {
      const result = await store.txn([], [{ put: key, value }])
      if (result.succeeded) acknowledge(key, result.revision, id)
    }
  }
}

process.stdin.on('end', () => process.exit(0)).resume()
await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
