// PriorityLevelConfiguration: how much of the server a level may use, and what waits or is turned away beyond that.
import type {
  LimitResponse,
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration,
  QueuingConfiguration,
} from '../../../common/api/generated/types.ts'
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  type FieldError,
} from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { semanticEqual } from '../equality.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkFlowConditions } from './conditions.ts'
import { mandatoryPriorityLevels } from './mandatory.ts'

const defaultShares = 30
const maxQueues = 10_000_000
/** Bits of the hash that deals queues to flows. */
const maxHashBits = 60

export const priorityLevelConfiguration = defineKind('flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations', {
  prepareForCreate: dropStatus,
  setDefaults: ({ spec }) => {
    if (spec?.exempt !== undefined) {
      spec.exempt.nominalConcurrencyShares ??= 0
      spec.exempt.lendablePercent ??= 0
    }
    if (spec?.limited === undefined) return
    const { limited } = spec
    limited.nominalConcurrencyShares ??= defaultShares
    limited.lendablePercent ??= 0
    const queuing = limited.limitResponse?.queuing
    if (queuing === undefined) return
    queuing.handSize ||= 8
    queuing.queues ||= 64
    queuing.queueLengthLimit ||= 50
  },
  validate: check,
  update: mainDoor(),
  status: statusDoor({ validate: ({ status }) => checkFlowConditions(status?.conditions ?? []) }),
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', cell: ({ spec }) => spec?.type ?? '' },
    {
      name: 'NominalConcurrencyShares',
      type: 'string',
      cell: ({ spec }) => spec?.limited?.nominalConcurrencyShares ?? '<none>',
    },
    { name: 'Queues', type: 'string', cell: (object) => queuingOf(object)?.queues ?? '<none>' },
    { name: 'HandSize', type: 'string', cell: (object) => queuingOf(object)?.handSize ?? '<none>' },
    { name: 'QueueLengthLimit', type: 'string', cell: (object) => queuingOf(object)?.queueLengthLimit ?? '<none>' },
    ageColumn,
  ],
})

const queuingOf = ({ spec }: PriorityLevelConfiguration): QueuingConfiguration | undefined =>
  spec?.limited?.limitResponse?.queuing

function check({ metadata, spec }: PriorityLevelConfiguration): FieldError[] {
  const errors: FieldError[] = []
  const { type = '', limited, exempt } = spec ?? {}
  if ((metadata.name === 'exempt') !== (type === 'Exempt'))
    errors.push(invalidValue('spec.type', type, "type must be 'Exempt' if and only if name is 'exempt'"))
  if (type === 'Exempt') {
    if (limited !== undefined) errors.push(forbiddenField('spec.limited', "must be nil if the type is not 'Limited'"))
    const { nominalConcurrencyShares: shares = 0, lendablePercent = 0 } = exempt ?? {}
    if (shares < 0)
      errors.push(invalidValue('spec.exempt.nominalConcurrencyShares', shares, 'must be a non-negative integer'))
    checkPercent(errors, 'spec.exempt.lendablePercent', lendablePercent)
  } else if (type === 'Limited') {
    if (exempt !== undefined) errors.push(forbiddenField('spec.exempt', "must be nil if the type is 'Limited'"))
    if (limited === undefined) errors.push(required('spec.limited', 'must not be empty when type is Limited'))
    else checkLimited(errors, 'spec.limited', limited)
  } else errors.push(notSupported('spec.type', type, ['Exempt', 'Limited']))
  const fixed = mandatoryPriorityLevels[metadata.name ?? '']
  // The shares of the exempt level are the one thing an administrator may set.
  if (fixed !== undefined && metadata.name !== 'exempt' && !semanticEqual(spec, fixed))
    errors.push(invalidValue('spec', spec, `spec of '${metadata.name ?? ''}' must equal the fixed value`))
  return errors
}

function checkPercent(errors: FieldError[], path: string, percent: number): void {
  if (percent < 0 || percent > 100) errors.push(invalidValue(path, percent, 'must be between 0 and 100, inclusive'))
}

function checkLimited(errors: FieldError[], path: string, limited: LimitedPriorityLevelConfiguration): void {
  const { nominalConcurrencyShares: shares = 0, lendablePercent = 0, borrowingLimitPercent, limitResponse } = limited
  if (shares < 0)
    errors.push(invalidValue(`${path}.nominalConcurrencyShares`, shares, 'must be a non-negative integer'))
  checkPercent(errors, `${path}.lendablePercent`, lendablePercent)
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const detail = 'if specified, must be a non-negative integer'
    errors.push(invalidValue(`${path}.borrowingLimitPercent`, borrowingLimitPercent, detail))
  }
  checkResponse(errors, `${path}.limitResponse`, limitResponse ?? { type: '' })
}

function checkResponse(errors: FieldError[], path: string, { type, queuing }: LimitResponse): void {
  if (type === 'Reject') {
    if (queuing !== undefined) {
      const detail = 'must be nil if limited.limitResponse.type is not Limited'
      errors.push(forbiddenField(`${path}.queuing`, detail))
    }
  } else if (type === 'Queue') {
    if (queuing === undefined)
      errors.push(required(`${path}.queuing`, 'must not be empty if limited.limitResponse.type is Limited'))
    else checkQueuing(errors, `${path}.queuing`, queuing)
  } else errors.push(notSupported(`${path}.type`, type, ['Queue', 'Reject']))
}

function checkQueuing(errors: FieldError[], path: string, queuing: QueuingConfiguration): void {
  const { queueLengthLimit = 0, queues = 0, handSize = 0 } = queuing
  const positive = 'must be positive'
  if (queueLengthLimit <= 0) errors.push(invalidValue(`${path}.queueLengthLimit`, queueLengthLimit, positive))
  if (queues <= 0) errors.push(invalidValue(`${path}.queues`, queues, positive))
  else if (queues > maxQueues)
    errors.push(invalidValue(`${path}.queues`, queues, `must not be greater than ${String(maxQueues)}`))
  const at = `${path}.handSize`
  if (handSize <= 0) errors.push(invalidValue(at, handSize, positive))
  else if (handSize > queues)
    errors.push(invalidValue(at, handSize, `should not be greater than queues (${String(queues)})`))
  else if (entropyBits(queues, handSize) > maxHashBits) {
    const detail = `required entropy bits of deckSize ${String(queues)} and handSize ${String(handSize)} should not be greater than ${String(maxHashBits)}`
    errors.push(invalidValue(at, handSize, detail))
  }
}

/** Bits to choose a hand of queues out of the deck. */
const entropyBits = (deckSize: number, handSize: number): number => Math.ceil(Math.log2(deckSize) * handSize)
