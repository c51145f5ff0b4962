// Validation of CustomResourceDefinitions; their schemas are checked in schema-rules.ts.
import type {
  CustomResourceColumnDefinition,
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
} from '../../../../common/api/generated/types.ts'
import {
  duplicate,
  forbiddenField,
  invalidValue,
  required,
  type FieldError,
} from '../../../../common/machinery/field-error.ts'
import type { WriteContext } from '../../kind.ts'
import { isDnsLabel1035, isDnsSubdomain } from '../../validation/names.ts'
import { checkImmutable, unsupported } from '../../validation/values.ts'
import { checkRootSchema } from './schema-rules.ts'

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
/** A path to one value: ".spec.replicas", ".metadata.labels['app']", ".status.list[0]". */
const simplePath = /^(\.[A-Za-z_$][\w$-]*|\[\d+\]|\['[^']*'\]|\["[^"]*"\]|\.\w+\\\.[\w\\.-]+)+$/

export function checkDefinition({ metadata, spec }: CustomResourceDefinition, context: WriteContext): FieldError[] {
  const errors: FieldError[] = []
  if (spec === undefined) return [required('spec')]
  const name = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`
  if (metadata.name !== name) {
    errors.push(invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  }
  checkGroup(errors, metadata, spec)
  if (!spec.scope) errors.push(required('spec.scope'))
  else if (spec.scope !== 'Cluster' && spec.scope !== 'Namespaced') {
    errors.push(unsupported('spec.scope', spec.scope, ['Cluster', 'Namespaced']))
  }
  if (spec.preserveUnknownFields === true) {
    errors.push(
      invalidValue(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true instead',
      ),
    )
  }
  const before = errors.length
  checkVersions(errors, spec.versions ?? [])
  // Rules are read by the types of their schema, so it has to be in order first.
  if (errors.length === before)
    spec.versions?.forEach(({ schema }, index) => {
      const path = `spec.versions[${String(index)}].schema.openAPIV3Schema`
      if (schema?.openAPIV3Schema !== undefined) errors.push(...context.checkSchema(path, schema.openAPIV3Schema))
    })
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!spec.names?.[field]) errors.push(required(`spec.names.${field}`))
  }
  if (spec.names !== undefined) checkNames(errors, 'spec.names', spec.names)
  if (spec.conversion !== undefined) checkConversion(errors, 'spec.conversion', spec.conversion)
  return errors
}

const approval = 'api-approved.kubernetes.io'

function checkGroup(
  errors: FieldError[],
  metadata: CustomResourceDefinition['metadata'],
  { group = '' }: CustomResourceDefinitionSpec,
): void {
  const problems = isDnsSubdomain(group)
  if (group === '') errors.push(required('spec.group'))
  else if (problems.length > 0) errors.push(invalidValue('spec.group', group, problems.join(',')))
  else if (!group.includes('.'))
    errors.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'))
  if (!/(^|\.)(k8s|kubernetes)\.io$/.test(group)) return
  const approved = metadata.annotations?.[approval] ?? ''
  const path = `metadata.annotations[${approval}]`
  if (approved === '') {
    errors.push(
      required(
        path,
        'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ),
    )
  } else if (!approved.startsWith('unapproved') && !/^https?:\/\//.test(approved)) {
    const detail = `protected groups must have approval annotation "${approval}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`
    errors.push(invalidValue(path, approved, detail))
  }
}

function checkVersions(errors: FieldError[], versions: readonly CustomResourceDefinitionVersion[]): void {
  const names = versions.map((version) => version.name)
  versions.forEach((version, index) => {
    checkVersion(errors, `spec.versions[${String(index)}]`, version)
  })
  if (new Set(names).size < names.length)
    errors.push(invalidValue('spec.versions', versions, 'must contain unique version names'))
  if (versions.filter((version) => version.storage).length !== 1) {
    errors.push(invalidValue('spec.versions', versions, 'must have exactly one version marked as storage version'))
  }
}

function checkVersion(errors: FieldError[], path: string, version: CustomResourceDefinitionVersion): void {
  const {
    name = '',
    deprecated,
    deprecationWarning,
    schema,
    subresources,
    additionalPrinterColumns = [],
    selectableFields = [],
  } = version
  const problems = isDnsLabel1035(name)
  if (problems.length > 0) errors.push(invalidValue(`${path}.name`, name, problems.join(',')))
  if (deprecationWarning !== undefined) {
    const refuse = (detail: string): void => {
      errors.push(invalidValue(`${path}.deprecationWarning`, deprecationWarning, detail))
    }
    if (deprecated !== true) refuse('can only be set for deprecated versions')
    else if (deprecationWarning === '') refuse('must not be an empty string')
    else if (deprecationWarning.length > 256) refuse('must be <= 256 characters long')
  }
  if (schema?.openAPIV3Schema === undefined)
    errors.push(required(`${path}.schema.openAPIV3Schema`, 'schemas are required'))
  else
    checkRootSchema(
      errors,
      `${path}.schema.openAPIV3Schema`,
      schema.openAPIV3Schema,
      subresources?.status !== undefined,
    )
  const scale = subresources?.scale
  if (scale !== undefined) {
    const paths = { specReplicasPath: '.spec.', statusReplicasPath: '.status.', labelSelectorPath: undefined }
    for (const [field, prefix] of Object.entries(paths)) {
      const value = scale[field as keyof typeof paths]
      const at = `${path}.subresources.scale.${field}`
      if (value === undefined || value === '') {
        if (prefix !== undefined) errors.push(required(at))
      } else if (!simplePath.test(value)) errors.push(invalidValue(at, value, 'is an invalid path'))
      else if (prefix !== undefined ? !value.startsWith(prefix) : !/^\.(spec|status)\./.test(value)) {
        const where = prefix === undefined ? 'either .spec or .status' : prefix.slice(0, -1)
        errors.push(invalidValue(at, value, `should be a json path under ${where}`))
      }
    }
  }
  additionalPrinterColumns.forEach((column, index) => {
    checkColumn(errors, `${path}.additionalPrinterColumns[${String(index)}]`, column)
  })
  if (selectableFields.length > 8)
    errors.push(invalidValue(`${path}.selectableFields`, '', 'must have at most 8 items'))
  const seen = new Set<string>()
  selectableFields.forEach(({ jsonPath = '' }, index) => {
    const at = `${path}.selectableFields[${String(index)}].jsonPath`
    if (jsonPath === '') errors.push(required(at))
    else if (!simplePath.test(jsonPath)) errors.push(invalidValue(at, jsonPath, 'is an invalid path'))
    else if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath))
    else if (jsonPath.startsWith('.metadata'))
      errors.push(invalidValue(at, jsonPath, 'must not point to fields in metadata'))
    seen.add(jsonPath)
  })
}

function checkColumn(
  errors: FieldError[],
  path: string,
  { name, type, format = '', jsonPath }: CustomResourceColumnDefinition,
): void {
  if (!name) errors.push(required(`${path}.name`))
  const types = `must be one of ${columnTypes.join(',')}`
  if (!type) errors.push(required(`${path}.type`, types))
  else if (!columnTypes.includes(type)) errors.push(invalidValue(`${path}.type`, type, types))
  if (format !== '' && !columnFormats.includes(format)) {
    errors.push(invalidValue(`${path}.format`, format, `must be one of ${columnFormats.join(',')}`))
  }
  if (!jsonPath) errors.push(required(`${path}.jsonPath`))
}

function checkNames(errors: FieldError[], path: string, names: CustomResourceDefinitionNames): void {
  const check = (field: string, value: string | undefined, mixedCase = false): void => {
    if (!value) return
    const problems = isDnsLabel1035(mixedCase ? value.toLowerCase() : value)
    const lead = mixedCase ? 'may have mixed case, but should otherwise match: ' : ''
    if (problems.length > 0) errors.push(invalidValue(`${path}.${field}`, value, lead + problems.join(',')))
  }
  check('plural', names.plural)
  check('singular', names.singular)
  check('kind', names.kind, true)
  check('listKind', names.listKind, true)
  names.shortNames?.forEach((name, index) => {
    check(`shortNames[${String(index)}]`, name)
  })
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalidValue(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'))
  }
  names.categories?.forEach((category, index) => {
    check(`categories[${String(index)}]`, category)
  })
}

function checkConversion(errors: FieldError[], path: string, { strategy, webhook }: CustomResourceConversion): void {
  if (!strategy) errors.push(required(`${path}.strategy`))
  else if (strategy !== 'None' && strategy !== 'Webhook')
    errors.push(unsupported(`${path}.strategy`, strategy, ['None', 'Webhook']))
  if (strategy !== 'Webhook') {
    if (webhook !== undefined)
      errors.push(forbiddenField(`${path}.webhook`, 'should not be set when strategy is not set to Webhook'))
    return
  }
  const config = webhook?.clientConfig
  if (config === undefined) {
    errors.push(required(`${path}.webhook.clientConfig`, 'required when strategy is set to Webhook'))
  } else if ((config.url === undefined) === (config.service === undefined)) {
    errors.push(required(`${path}.webhook.clientConfig`, 'exactly one of url or service is required'))
  }
  const versions = webhook?.conversionReviewVersions ?? []
  if (versions.length === 0) errors.push(required(`${path}.webhook.conversionReviewVersions`))
  else if (!versions.includes('v1') && !versions.includes('v1beta1')) {
    errors.push(
      invalidValue(`${path}.webhook.conversionReviewVersions`, versions, 'must include at least one of v1, v1beta1'),
    )
  }
}

export function checkDefinitionUpdate(object: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = []
  const established =
    old.status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') ??
    false
  if (established) {
    checkImmutable(errors, 'spec.scope', object.spec.scope, old.spec.scope)
    checkImmutable(errors, 'spec.names.kind', object.spec.names?.kind, old.spec.names.kind)
  }
  checkImmutable(errors, 'spec.group', object.spec.group, old.spec.group)
  checkImmutable(errors, 'spec.names.plural', object.spec.names?.plural, old.spec.names.plural)
  const names = new Set((object.spec.versions ?? []).map((version) => version.name))
  object.status?.storedVersions?.forEach((version, index) => {
    if (!names.has(version)) {
      errors.push(
        invalidValue(`status.storedVersions[${String(index)}]`, version, 'missing from spec.versions; must be present'),
      )
    }
  })
  return errors
}
