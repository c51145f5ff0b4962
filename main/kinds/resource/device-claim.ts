// What a claim asks for: requests for devices, constraints between them, configuration for their drivers.
import type {
  ResourceV1DeviceClaim,
  ResourceV1DeviceConstraint,
  ResourceV1DeviceRequest,
  ResourceV1DeviceSelector,
  ResourceV1DeviceSubRequest,
  ResourceV1DeviceToleration,
  ResourceV1ExactDeviceRequest,
  ResourceV1OpaqueDeviceConfiguration,
} from '../../../common/api/generated/types.ts'
import {
  invalidValue,
  notSupported,
  required,
  tooLong,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { byteLength } from '../../../common/machinery/names.ts'
import type { WriteContext } from '../kind.ts'
import { checkDriverName } from '../storage/driver-name.ts'
import { checkList, checkSet } from '../validation/collections.ts'
import { checkExpression } from '../validation/expressions.ts'
import { checkName, isDnsLabel, isDnsSubdomain, isLabelValue, isQualifiedName } from '../validation/names.ts'
import { checkFullyQualifiedName } from './names.ts'

export const maxRequests = 32
const maxSubRequests = 8
const maxSelectors = 32
export const maxConfigs = 32
const maxExpressionBytes = 10_240
const maxParameterBytes = 10_240
export const taintEffects = ['NoExecute', 'NoSchedule', 'None']

export function setClaimDefaults(claim: ResourceV1DeviceClaim | undefined): void {
  for (const request of claim?.requests ?? []) {
    for (const part of [request.exactly, ...(request.firstAvailable ?? [])]) {
      if (part === undefined) continue
      part.allocationMode ||= 'ExactCount'
      if (part.allocationMode === 'ExactCount') part.count ||= 1
      for (const toleration of part.tolerations ?? []) toleration.operator ||= 'Equal'
    }
  }
}

/** Requests by name, with the names of their alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>

export const requestNamesOf = (claim: ResourceV1DeviceClaim | undefined): RequestNames =>
  new Map(
    (claim?.requests ?? []).map(({ name, firstAvailable = [] }) => [
      name,
      new Set(firstAvailable.map((alternative) => alternative.name)),
    ]),
  )

export function checkDeviceClaim(
  errors: FieldError[],
  path: string,
  claim: ResourceV1DeviceClaim,
  context: WriteContext,
): void {
  const names = requestNamesOf(claim)
  checkSet(
    errors,
    `${path}.requests`,
    { items: claim.requests, max: maxRequests, key: ({ name }) => name },
    (request, at) => {
      checkRequest(errors, at, request, context)
    },
  )
  checkList(errors, `${path}.constraints`, { items: claim.constraints, max: maxRequests }, (constraint, at) => {
    checkConstraint(errors, at, constraint, names)
  })
  checkList(errors, `${path}.config`, { items: claim.config, max: maxConfigs }, (config, at) => {
    checkRequestReferences(errors, `${at}.requests`, config.requests, names)
    checkConfiguration(errors, at, config)
  })
}

function checkRequest(
  errors: FieldError[],
  path: string,
  request: ResourceV1DeviceRequest,
  context: WriteContext,
): void {
  const { name = '', exactly, firstAvailable = [] } = request
  checkName(errors, `${path}.name`, name, isDnsLabel)
  const one = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly === undefined && firstAvailable.length === 0) errors.push(required(path, one))
  else if (exactly !== undefined && firstAvailable.length > 0)
    errors.push(invalidValue(path, null, `${one}, but multiple fields are set`))
  else if (exactly !== undefined) checkExactRequest(errors, `${path}.exactly`, exactly, context)
  else {
    const list = { items: firstAvailable, max: maxSubRequests, key: (item: ResourceV1DeviceSubRequest) => item.name }
    checkSet(errors, `${path}.firstAvailable`, list, (alternative, at) => {
      checkName(errors, `${at}.name`, alternative.name, isDnsLabel)
      checkExactRequest(errors, at, alternative, context)
    })
  }
}

function checkExactRequest(
  errors: FieldError[],
  path: string,
  request: ResourceV1ExactDeviceRequest | ResourceV1DeviceSubRequest,
  context: WriteContext,
): void {
  const { deviceClassName = '', selectors, allocationMode = '', count = 0, tolerations } = request
  if (deviceClassName === '') errors.push(required(`${path}.deviceClassName`))
  else checkName(errors, `${path}.deviceClassName`, deviceClassName, isDnsSubdomain)
  checkSelectors(errors, `${path}.selectors`, selectors, context)
  if (allocationMode === 'All') {
    if (count !== 0)
      errors.push(invalidValue(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.push(invalidValue(`${path}.count`, count, 'must be greater than zero'))
  } else errors.push(notSupported(`${path}.allocationMode`, allocationMode, ['All', 'ExactCount']))
  checkList(errors, `${path}.tolerations`, { items: tolerations }, (toleration, at) => {
    checkToleration(errors, at, toleration)
  })
}

export function checkSelectors(
  errors: FieldError[],
  path: string,
  selectors: readonly ResourceV1DeviceSelector[] | undefined,
  context: WriteContext,
): void {
  checkList(errors, path, { items: selectors, max: maxSelectors }, ({ cel }, at) => {
    if (cel === undefined) {
      errors.push(required(`${at}.cel`))
      return
    }
    const { expression = '' } = cel
    const where = `${at}.cel.expression`
    if (byteLength(expression) > maxExpressionBytes) errors.push(tooLong(where, maxExpressionBytes))
    else checkExpression(errors, where, { purpose: 'deviceSelector', text: expression }, context)
  })
}

export function checkToleration(errors: FieldError[], path: string, toleration: ResourceV1DeviceToleration): void {
  const { key = '', operator = '', value = '', effect = '' } = toleration
  if (key !== '') checkName(errors, `${path}.key`, key, isQualifiedName)
  if (operator === 'Exists') {
    if (value !== '') errors.push(invalidValue(`${path}.value`, value, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') checkName(errors, `${path}.value`, value, isLabelValue)
  else if (operator === '') errors.push(required(`${path}.operator`))
  else errors.push(notSupported(`${path}.operator`, operator, ['Equal', 'Exists']))
  if (effect !== '' && !taintEffects.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, taintEffects))
}

function checkConstraint(
  errors: FieldError[],
  path: string,
  constraint: ResourceV1DeviceConstraint,
  names: RequestNames,
): void {
  const { requests, matchAttribute, distinctAttribute } = constraint
  checkRequestReferences(errors, `${path}.requests`, requests, names)
  if (matchAttribute !== undefined) checkFullyQualifiedName(errors, `${path}.matchAttribute`, matchAttribute)
  else if (distinctAttribute !== undefined)
    checkFullyQualifiedName(errors, `${path}.distinctAttribute`, distinctAttribute)
  else {
    const detail = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
    errors.push(required(path, detail))
  }
}

export function checkRequestReferences(
  errors: FieldError[],
  path: string,
  requests: readonly string[] | undefined,
  names: RequestNames,
): void {
  checkSet(errors, path, { items: requests, max: maxRequests, key: (name) => name }, (name, at) => {
    checkRequestReference(errors, at, name, names)
  })
}

/** "request" or "request/alternative". */
export function checkRequestReference(errors: FieldError[], path: string, name: string, names: RequestNames): void {
  const unknown = (): FieldError => {
    const detail =
      "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
    return invalidValue(path, name, detail)
  }
  const [request = '', alternative, ...rest] = name.split('/')
  if (rest.length > 0) {
    errors.push(unknown())
    return
  }
  checkName(errors, path, request, isDnsLabel)
  if (alternative !== undefined) checkName(errors, path, alternative, isDnsLabel)
  const alternatives = names.get(request)
  if (alternatives === undefined || (alternative !== undefined && !alternatives.has(alternative)))
    errors.push(unknown())
}

export function checkConfiguration(
  errors: FieldError[],
  path: string,
  { opaque }: { readonly opaque?: ResourceV1OpaqueDeviceConfiguration },
): void {
  if (opaque === undefined) {
    errors.push(required(`${path}.opaque`))
    return
  }
  checkDriverName(errors, `${path}.opaque.driver`, opaque.driver ?? '')
  checkObjectValue(errors, `${path}.opaque.parameters`, opaque.parameters, maxParameterBytes)
}

/** A JSON object of limited size. */
export function checkObjectValue(errors: FieldError[], path: string, value: unknown, maxBytes: number): void {
  if (value === undefined || value === null) errors.push(required(path))
  else if (byteLength(JSON.stringify(value)) > maxBytes) errors.push(tooLong(path, maxBytes))
  else if (typeof value !== 'object' || Array.isArray(value))
    errors.push(invalidValue(path, '<value omitted>', 'must be a valid JSON object'))
}
