// The answer to a call about custom resources that a webhook converts: in the version that was asked for.
import type { CallResult } from '../../routes/api-call.ts'
import type { ServedConversion } from './conversion.ts'

export async function convertResult(result: CallResult, conversion: ServedConversion): Promise<CallResult> {
  if (result.type === 'stored') {
    const [object = result.object] = await conversion.toServed([result.object])
    return { ...result, object }
  }
  if (result.type !== 'list') return result
  return { ...result, list: { ...result.list, items: await conversion.toServed(result.list.items) } }
}
