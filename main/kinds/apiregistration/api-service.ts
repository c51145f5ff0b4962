// APIService: who answers for a group and version: this server, or an extension server behind a Service.
import type { APIService } from '../../../common/api/generated/types.ts'
import { invalidValue, notSupported, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { mainDoor, statusDoor } from '../strategy.ts'
import { checkName, isDnsLabel1035, isDnsSubdomain, isPathSegment } from '../validation/names.ts'

const maxGroupPriority = 20_000
const maxVersionPriority = 1000

export const apiService = defineKind('apiregistration.k8s.io/v1/apiservices', {
  allowUnconditionalUpdate: false,
  categories: ['api-extensions'],
  nameRule: 'any',
  tracksGeneration: false,
  prepareForCreate: (object) => {
    object.status = {}
    // The server's own groups are there as long as the server is.
    if (object.spec?.service === undefined) object.status.conditions = [localIsAvailable(object)]
  },
  setDefaults: ({ spec }) => {
    if (spec?.service !== undefined) spec.service.port ??= 443
  },
  validate: check,
  update: mainDoor(),
  status: statusDoor({
    validate: ({ status }) => {
      const errors: FieldError[] = []
      const statuses = ['False', 'True', 'Unknown']
      status?.conditions?.forEach((condition, index) => {
        if (!statuses.includes(condition.status))
          errors.push(notSupported(`status.conditions[${String(index)}].status`, condition.status, statuses))
      })
      return errors
    },
  }),
  columns: [
    nameColumn,
    {
      name: 'Service',
      type: 'string',
      description: 'The reference to the service that hosts this API endpoint.',
      cell: ({ spec }) =>
        spec?.service === undefined ? 'Local' : `${spec.service.namespace ?? ''}/${spec.service.name ?? ''}`,
    },
    { name: 'Available', type: 'string', description: 'Whether this service is available.', cell: availability },
    ageColumn,
  ],
})

const localIsAvailable = (
  object: APIService,
): NonNullable<NonNullable<APIService['status']>['conditions']>[number] => ({
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
  ...(object.metadata.creationTimestamp === undefined || object.metadata.creationTimestamp === null
    ? {}
    : { lastTransitionTime: object.metadata.creationTimestamp }),
})

function availability({ status }: APIService): string {
  const available = status?.conditions?.find((condition) => condition.type === 'Available')
  if (available === undefined) return 'Unknown'
  return available.status === 'True' ? 'True' : `${available.status} (${available.reason ?? ''})`
}

function check({ metadata, spec }: APIService): FieldError[] {
  const errors: FieldError[] = []
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0, service } = spec ?? {}
  const { caBundle = '', insecureSkipTLSVerify = false } = spec ?? {}
  const { name = '' } = metadata
  const wanted = `${version}.${group}`
  const problems = isPathSegment(name)
  if (problems.length > 0) checkName(errors, 'metadata.name', name, isPathSegment)
  else if (name !== wanted) {
    const detail = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`
    errors.push(invalidValue('metadata.name', name, detail))
  }
  if (group === '' && version !== 'v1')
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  if (group !== '') checkName(errors, 'spec.group', group, isDnsSubdomain)
  checkName(errors, 'spec.version', version, isDnsLabel1035)
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > maxGroupPriority) {
    const detail = 'must be positive and less than 20000'
    errors.push(invalidValue('spec.groupPriorityMinimum', groupPriorityMinimum, detail))
  }
  if (versionPriority <= 0 || versionPriority > maxVersionPriority)
    errors.push(invalidValue('spec.versionPriority', versionPriority, 'must be positive and less than 1000'))
  if (service === undefined) {
    if (caBundle !== '') {
      const bytes = `${String(atob(caBundle).length)} bytes`
      errors.push(invalidValue('spec.caBundle', bytes, 'local APIServices may not have a caBundle'))
    }
    if (insecureSkipTLSVerify) {
      const detail = 'local APIServices may not have insecureSkipTLSVerify'
      errors.push(invalidValue('spec.insecureSkipTLSVerify', true, detail))
    }
    return errors
  }
  if (!service.namespace) errors.push(required('spec.service.namespace'))
  if (!service.name) errors.push(required('spec.service.name'))
  if (insecureSkipTLSVerify && caBundle !== '')
    errors.push(invalidValue('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
  return errors
}
