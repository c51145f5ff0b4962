import { describe, expect, it } from 'vitest'
import { runKindContract } from '../kind-contract.ts'
import { createObject } from '../testing/lifecycle.ts'
import { flowSchema } from './flow-schema.ts'
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from './mandatory.ts'
import { priorityLevelConfiguration } from './priority-level-configuration.ts'

const everything = [{ verbs: ['*'], nonResourceURLs: ['*'] }]
const rule = { subjects: [{ kind: 'User', user: { name: 'ada' } }], nonResourceRules: everything }
const schema = { priorityLevelConfiguration: { name: 'level' }, rules: [rule] }
const limited = { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: {} } } }

runKindContract(flowSchema, {
  valid: [
    { spec: schema },
    ...Object.entries(mandatoryFlowSchemas).map(([name, spec]) => ({ metadata: { name }, spec })),
  ],
})
runKindContract(priorityLevelConfiguration, {
  valid: [
    { spec: limited },
    ...Object.entries(mandatoryPriorityLevels).map(([name, spec]) => ({ metadata: { name }, spec })),
  ],
})

describe('FlowSchema', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [
      { matchingPrecedence: 1 },
      ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
    ],
    [{ matchingPrecedence: 10_001 }, ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000']],
    [
      { priorityLevelConfiguration: { name: '' } },
      ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level'],
    ],
    [
      { rules: [{ ...rule, subjects: [] }] },
      ['spec.rules[0].subjects: Required value: subjects must contain at least one value'],
    ],
    [
      { rules: [{ ...rule, nonResourceRules: [] }] },
      ['spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty'],
    ],
    [
      { rules: [{ ...rule, subjects: [{ kind: 'User', group: { name: 'x' } }] }] },
      [
        "spec.rules[0].subjects[0].user: Required value: user is required when subject kind is 'User'",
        "spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
      ],
    ],
    [
      { rules: [{ ...rule, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['x', '/a*'] }] }] },
      [
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "x": must start with slash',
        'spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/a*": wildcard can only do suffix matching',
      ],
    ],
    [
      { rules: [{ subjects: rule.subjects, resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }] },
      [
        'spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace',
      ],
    ],
  ])('with %j is refused', (changes, errors) => {
    expect(createObject(flowSchema, { spec: { ...schema, ...changes } }).errors).toEqual(errors)
  })

  it('is fixed when it is mandatory', () => {
    const { errors } = createObject(flowSchema, { metadata: { name: 'exempt' }, spec: schema })
    expect(errors.at(-1)).toMatch(/^spec: Invalid value: .*: spec of 'exempt' must equal the fixed value$/)
  })
})

describe('PriorityLevelConfiguration', () => {
  it('has the defaults of Kubernetes', () => {
    expect(createObject(priorityLevelConfiguration, { spec: limited }).object.spec).toEqual({
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 30,
        lendablePercent: 0,
        limitResponse: { type: 'Queue', queuing: { handSize: 8, queues: 64, queueLengthLimit: 50 } },
      },
    })
  })

  it.each<[Record<string, unknown>, string[]]>([
    [{ type: 'Limited' }, ['spec.limited: Required value: must not be empty when type is Limited']],
    [
      { type: 'Exempt' },
      ["spec.type: Invalid value: \"Exempt\": type must be 'Exempt' if and only if name is 'exempt'"],
    ],
    [
      { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: { queues: 4, handSize: 5 } } } },
      ['spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)'],
    ],
    [
      { type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing: { queues: 1024, handSize: 8 } } } },
      [
        'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 1024 and handSize 8 should not be greater than 60',
      ],
    ],
    [
      { type: 'Limited', limited: { limitResponse: { type: 'Wait' } } },
      ['spec.limited.limitResponse.type: Unsupported value: "Wait": supported values: "Queue", "Reject"'],
    ],
  ])('with %j is refused', (spec, errors) => {
    expect(createObject(priorityLevelConfiguration, { spec }).errors).toEqual(errors)
  })
})
