import { describe, expect, it } from 'vitest'
import { runKindContract } from '../kind-contract.ts'
import { createObject, updateObject } from '../testing/lifecycle.ts'
import { fullPod, simpleSpec, simpleTemplate } from '../testing/pods.ts'
import { controllerRevision } from './controller-revision.ts'
import { daemonSet } from './daemon-set.ts'
import { deployment } from './deployment/index.ts'
import { replicaSet } from './replica-set.ts'

const selector = { matchLabels: { app: 'web' } }
const fullTemplate = () => ({
  metadata: { labels: { app: 'web' } },
  spec: { ...(fullPod().spec as object), activeDeadlineSeconds: undefined },
})
const spec = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  selector,
  template: simpleTemplate(),
  ...more,
})

runKindContract(deployment, {
  valid: [
    { spec: spec() },
    {
      spec: spec({ replicas: 0, strategy: { type: 'Recreate' }, template: JSON.parse(JSON.stringify(fullTemplate())) }),
    },
  ],
})
runKindContract(replicaSet, { valid: [{ spec: spec() }] })
runKindContract(daemonSet, { valid: [{ spec: spec() }, { spec: spec({ updateStrategy: { type: 'OnDelete' } }) }] })
runKindContract(controllerRevision, { valid: [{ data: { spec: {} }, revision: 3 }] })

describe('Deployment', () => {
  it('defaults as elsewhere', () => {
    const { object } = createObject(deployment, { spec: spec() })
    expect(object.spec).toMatchObject({
      replicas: 1,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    })
    // What only pods get does not show in a template.
    expect(object.spec?.template.spec).not.toHaveProperty('enableServiceLinks')
    expect(object.spec?.template.spec).toMatchObject({ restartPolicy: 'Always', terminationGracePeriodSeconds: 30 })
  })

  const template = (labels: Record<string, string>, more: Record<string, unknown> = {}) => ({
    metadata: { labels },
    spec: { ...simpleSpec(), ...more },
  })
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['no selector', { selector: undefined }, ['spec.selector: Required value']],
    [
      'an empty selector',
      { selector: {} },
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'a template that does not match',
      { template: template({ app: 'db' }) },
      ['spec.template.metadata.labels: Invalid value: {"app":"db"}: `selector` does not match template `labels`'],
    ],
    [
      'pods that do not restart',
      { template: template({ app: 'web' }, { restartPolicy: 'Never' }) },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      'a deadline',
      { template: template({ app: 'web' }, { activeDeadlineSeconds: 5 }) },
      ['spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported'],
    ],
    ['fewer than none', { replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    [
      'no way to roll',
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0'],
    ],
    [
      'more than all',
      { strategy: { rollingUpdate: { maxUnavailable: '101%' } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ],
    [
      'half a percentage',
      { strategy: { rollingUpdate: { maxSurge: 'many' } } },
      [
        "spec.strategy.rollingUpdate.maxSurge: Invalid value: \"many\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      ],
    ],
    [
      'rolling by recreation',
      { strategy: { type: 'Recreate', rollingUpdate: {} } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      'an unknown strategy',
      { strategy: { type: 'Magic' } },
      ['spec.strategy.type: Unsupported value: "Magic": supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      'a deadline before readiness',
      { progressDeadlineSeconds: 5, minReadySeconds: 5 },
      ['spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds'],
    ],
    [
      'no container',
      { template: template({ app: 'web' }, { containers: [] }) },
      ['spec.template.spec.containers: Required value'],
    ],
  ]
  it.each(cases)('refuses %s', (_, more, errors) => {
    expect(createObject(deployment, { spec: spec(more) }).errors).toEqual(errors)
  })

  it('keeps its selector', () => {
    const old = createObject(deployment, { spec: spec() }).object
    const { errors } = updateObject(deployment, old, (object) =>
      Object.assign(object.spec ?? {}, { selector: { matchLabels: { app: 'db' } }, template: template({ app: 'db' }) }),
    )
    expect(errors).toEqual(['spec.selector: Invalid value: {"matchLabels":{"app":"db"}}: field is immutable'])
  })

  it('counts no more than there are', () => {
    const old = createObject(deployment, { spec: spec() }).object
    const { errors } = updateObject(
      deployment,
      old,
      (object) => Object.assign(object, { status: { replicas: 1, readyReplicas: 2 } }),
      { door: 'status' },
    )
    expect(errors).toEqual(['status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas'])
  })

  it('scales', () => {
    const { object } = createObject(deployment, {
      spec: spec({
        selector: {
          matchLabels: { app: 'web' },
          matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['db'] }],
        },
      }),
    })
    deployment.scale?.setSpecReplicas(object, 7)
    expect(deployment.scale?.specReplicas(object)).toBe(7)
    expect(deployment.scale?.selector(object)).toBe('app=web,tier notin (db)')
  })

  it('shows its state', () => {
    const { object } = createObject(deployment, { spec: spec({ replicas: 3 }) })
    object.status = { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 }
    const cells = (deployment.columns ?? []).map((column) => column.cell(object, new Date('2030-01-02T03:05:05Z')))
    expect(cells).toEqual(['test', '2/3', 3, 1, '60s', 'main', 'hello:1.0', 'app=web'])
  })
})

describe('DaemonSet', () => {
  it('rolls one at a time', () => {
    expect(createObject(daemonSet, { spec: spec() }).object.spec?.updateStrategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
    })
  })

  it('does not surge and go without at once', () => {
    const updateStrategy = { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } }
    expect(createObject(daemonSet, { spec: spec({ updateStrategy }) }).errors).toEqual([
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ])
  })
})

describe('ControllerRevision', () => {
  it('keeps its data', () => {
    const old = createObject(controllerRevision, { data: { a: 1 }, revision: 1 }).object
    expect(updateObject(controllerRevision, old, (object) => Object.assign(object, { data: { a: 2 } })).errors).toEqual(
      ['data: Invalid value: {"a":2}: field is immutable'],
    )
    expect(updateObject(controllerRevision, old, (object) => Object.assign(object, { revision: 2 })).errors).toEqual([])
  })
})
