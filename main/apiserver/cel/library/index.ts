// All functions an expression of the Kubernetes API may call.
import { addresses } from './addresses.ts'
import { authorization } from './authorizer.ts'
import { collections } from './collections.ts'
import { type Functions, library } from './declare.ts'
import { formats } from './format.ts'
import { operators } from './operators.ts'
import { measures } from './quantity.ts'
import { standard } from './standard.ts'
import { text } from './text.ts'
import { urls } from './url.ts'

export const kubernetesFunctions: Functions = library(
  operators,
  standard,
  text,
  collections,
  addresses,
  urls,
  measures,
  formats,
  authorization,
)
