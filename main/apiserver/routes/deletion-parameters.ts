// How an object is to be deleted: DeleteOptions in the body, or query parameters.
import type { DeleteOptions } from '../../../common/api/generated/types.ts'
import { badRequest } from '../../../common/machinery/status.ts'
import { decodeType } from '../registry/decode.ts'
import type { DeletionRequest, PropagationPolicy } from '../registry/deletion-request.ts'
import type { ApiCall } from './api-call.ts'
import { checkDeleteOptions } from './options-validation.ts'

export async function deletionOf(call: ApiCall): Promise<{ deletion: DeletionRequest; dryRun: readonly string[] }> {
  const body = await call.body()
  const options = body === undefined ? fromQuery(call.query) : fromBody(body.value)
  const { propagationPolicy, orphanDependents, gracePeriodSeconds, preconditions, dryRun = [] } = options
  checkDeleteOptions({
    ...options,
    dryRun: [...dryRun, ...call.query.getAll('dryRun').filter((value) => value !== '')],
  })
  const policy =
    propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background')
  return {
    deletion: {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(policy === undefined ? {} : { propagationPolicy: policy as PropagationPolicy }),
      ...(preconditions === undefined ? {} : { preconditions }),
    },
    dryRun,
  }
}

function fromBody(value: unknown): DeleteOptions {
  // Clients send DeleteOptions under the version of the group they talk to; its content is the same everywhere.
  const given =
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value, apiVersion: 'meta.k8s.io/v1' }
      : value
  return decodeType<DeleteOptions>(
    {
      definition: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
      apiVersion: 'meta.k8s.io/v1',
      kind: 'DeleteOptions',
    },
    given,
  )
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const options: DeleteOptions = {}
  const grace = query.get('gracePeriodSeconds')
  if (grace !== null && grace !== '') {
    if (!/^-?\d{1,15}$/.test(grace))
      throw badRequest(
        `unable to parse gracePeriodSeconds: strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`,
      )
    options.gracePeriodSeconds = Number(grace)
  }
  const policy = query.get('propagationPolicy')
  if (policy !== null && policy !== '') options.propagationPolicy = policy
  const orphan = query.get('orphanDependents')
  if (orphan !== null && orphan !== '') options.orphanDependents = orphan === 'true' || orphan === '1'
  return options
}
