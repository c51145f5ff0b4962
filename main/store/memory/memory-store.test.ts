import { describeStoreContract } from '../store-contract.ts'
import { createMemoryStore } from './index.ts'

describeStoreContract('memory', { open: () => Promise.resolve(createMemoryStore()) })
