import { describe, expect, it } from 'vitest'
import { statefulSet } from './apps/stateful-set/index.ts'
import { horizontalPodAutoscalerV1 } from './autoscaling/horizontal-pod-autoscaler-v1.ts'
import { horizontalPodAutoscaler } from './autoscaling/horizontal-pod-autoscaler.ts'
import { cronJob } from './batch/cron-job/index.ts'
import { scheduleProblem } from '../../common/machinery/cron/parse.ts'
import { replicationController } from './core/replication-controller.ts'
import { runKindContract } from './kind-contract.ts'
import { podDisruptionBudget } from './policy/pod-disruption-budget.ts'
import { createObject, updateObject } from './testing/lifecycle.ts'
import { simpleSpec, simpleTemplate } from './testing/pods.ts'

const selector = { matchLabels: { app: 'web' } }
const claims = [
  { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
]
const withMount = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'a', image: 'a:1', volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
}
const jobTemplate = { spec: { template: { spec: { ...simpleSpec(), restartPolicy: 'OnFailure' } } } }
const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }

runKindContract(statefulSet, {
  valid: [{ spec: { selector, serviceName: 'web', template: withMount, volumeClaimTemplates: claims } }],
})
runKindContract(replicationController, { valid: [{ spec: { template: simpleTemplate() } }] })
runKindContract(cronJob, {
  valid: [{ spec: { schedule: '*/5 * * * mon-fri', timeZone: 'Europe/Berlin', jobTemplate } }],
})
runKindContract(podDisruptionBudget, {
  valid: [{ spec: { minAvailable: 1, selector } }, { spec: { maxUnavailable: '25%', selector } }],
})
runKindContract(horizontalPodAutoscaler, {
  valid: [
    { spec: { scaleTargetRef, maxReplicas: 5 } },
    {
      spec: {
        scaleTargetRef,
        minReplicas: 2,
        maxReplicas: 5,
        metrics: [
          {
            type: 'Pods',
            pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } },
          },
        ],
        behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
      },
    },
  ],
})
runKindContract(horizontalPodAutoscalerV1, {
  valid: [
    { spec: { scaleTargetRef, maxReplicas: 5, targetCPUUtilizationPercentage: 60 } },
    { spec: { scaleTargetRef, maxReplicas: 5 } },
  ],
})

describe('StatefulSet', () => {
  it('changes only in what may change', () => {
    const old = createObject(statefulSet, {
      spec: { selector, template: withMount, volumeClaimTemplates: claims },
    }).object
    expect(updateObject(statefulSet, old, ({ spec }) => Object.assign(spec ?? {}, { replicas: 3 })).errors).toEqual([])
    expect(
      updateObject(statefulSet, old, ({ spec }) => Object.assign(spec ?? {}, { serviceName: 'other' })).errors,
    ).toEqual([
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ])
  })
})

describe('CronJob', () => {
  it.each([
    ['* * * * *', undefined],
    ['@daily', undefined],
    ['@every 1h30m', undefined],
    ['0 0 1,15 jan-mar sun', undefined],
    ['* * *', 'expected exactly 5 fields, found 3: [* * *]'],
    ['61 * * * *', 'end of range (61) above maximum (59): 61'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['a * * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['@sometimes', 'unrecognized descriptor: @sometimes'],
  ])('schedule %j: %s', (schedule, problem) => {
    expect(scheduleProblem(schedule)).toBe(problem)
  })

  it('checks time zone and name', () => {
    expect(
      createObject(cronJob, {
        metadata: { name: 'n'.repeat(53) },
        spec: { schedule: '* * * * *', timeZone: 'Mars/Olympus', jobTemplate },
      }).errors,
    ).toEqual([
      'spec.timeZone: Invalid value: "Mars/Olympus": unknown time zone Mars/Olympus',
      `metadata.name: Invalid value: "${'n'.repeat(53)}": must be no more than 52 characters`,
    ])
  })
})

describe('HorizontalPodAutoscaler', () => {
  it('aims at 80 % of cpu unless told otherwise', () => {
    expect(
      createObject(horizontalPodAutoscaler, { spec: { scaleTargetRef, maxReplicas: 3 } }).object.spec,
    ).toMatchObject({
      minReplicas: 1,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
      ],
    })
  })

  it('refuses bounds that contradict each other and metrics that say nothing', () => {
    expect(
      createObject(horizontalPodAutoscaler, {
        spec: { scaleTargetRef, minReplicas: 4, maxReplicas: 3, metrics: [{ type: 'Pods' }] },
      }).errors,
    ).toEqual([
      'spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
      'spec.metrics[0].pods: Required value: must populate information for the given metric source',
    ])
  })

  it('keeps through v1 what v1 cannot say', () => {
    const metrics = [
      { type: 'Pods', pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } } },
    ]
    const { object } = createObject(horizontalPodAutoscaler, { spec: { scaleTargetRef, maxReplicas: 3, metrics } })
    const older = horizontalPodAutoscalerV1.storedAs?.fromStored(object)
    expect(older?.spec.targetCPUUtilizationPercentage).toBeUndefined()
    expect(older === undefined ? undefined : horizontalPodAutoscalerV1.storedAs?.toStored(older)).toEqual(object)
  })
})

describe('PodDisruptionBudget', () => {
  it('has one bound', () => {
    expect(createObject(podDisruptionBudget, { spec: { minAvailable: 1, maxUnavailable: 1 } }).errors).toEqual([
      'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
    ])
  })
})
