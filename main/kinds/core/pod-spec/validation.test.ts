import { describe, expect, it } from 'vitest'
import { createObject } from '../../testing/lifecycle.ts'
import { pod } from '../pod/index.ts'

const container = { name: 'main', image: 'x' }
const errorsOf = (spec: Record<string, unknown>): string[] =>
  createObject(pod, { spec: { containers: [container], ...spec } }).errors
const withContainer = (fields: object): Record<string, unknown> => ({ containers: [{ ...container, ...fields }] })

const at = 'spec.containers[0]'
describe('a pod spec', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [
      { hostnameOverride: 'a.b', hostNetwork: true },
      ['spec.hostnameOverride: Forbidden: may not be specified when hostNetwork is true'],
    ],
    [
      { hostnameOverride: 'a.b', setHostnameAsFQDN: true },
      ['spec.hostnameOverride: Forbidden: may not be specified when setHostnameAsFQDN is true'],
    ],
    [{ hostnameOverride: `${'a.'.repeat(32)}a` }, ['spec.hostnameOverride: Too long: may not be more than 64 bytes']],
    [
      withContainer({ restartPolicyRules: [{ action: 'Restart' }] }),
      [
        `${at}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`,
        `${at}.restartPolicyRules[0].exitCodes: Required value: must be specified`,
      ],
    ],
    [
      withContainer({
        restartPolicy: 'Never',
        restartPolicyRules: [{ action: 'Jump', exitCodes: { operator: 'Is', values: [1] } }],
      }),
      [
        `${at}.restartPolicyRules[0].action: Unsupported value: "Jump": supported values: "Restart", "RestartAllContainers"`,
        `${at}.restartPolicyRules[0].exitCodes.operator: Unsupported value: "Is": supported values: "In", "NotIn"`,
      ],
    ],
    [
      withContainer({
        restartPolicy: 'Never',
        restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
      }),
      [],
    ],
    [
      withContainer({ env: [{ name: 'A', valueFrom: { fileKeyRef: { path: '../x' } } }] }),
      [
        `${at}.env[0].valueFrom.fileKeyRef.volumeName: Required value`,
        `${at}.env[0].valueFrom.fileKeyRef.path: Invalid value: "../x": must not contain '..'`,
        `${at}.env[0].valueFrom.fileKeyRef.key: Required value`,
      ],
    ],
    [
      {
        os: { name: 'windows' },
        securityContext: { runAsUser: 1 },
      },
      ['spec.securityContext.runAsUser: Forbidden: cannot be set for a windows pod'],
    ],
    [
      { resources: { requests: { cpu: '1' } }, ...withContainer({ resources: { requests: { cpu: '2' } } }) },
      [
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
      ],
    ],
    [
      { initContainers: [{ ...container, name: 'init', readinessProbe: { exec: { command: ['true'] } } }] },
      [
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      { nodeName: 'n', schedulingGates: [{ name: 'example.com/wait' }] },
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
    [
      { resourceClaims: [{ name: 'gpu', resourceClaimName: 'a', resourceClaimTemplateName: 'b' }] },
      [
        'spec.resourceClaims[0]: Invalid value: {"name":"gpu","resourceClaimName":"a","resourceClaimTemplateName":"b"}: at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified',
      ],
    ],
  ])('with %j', (spec, errors) => {
    expect(errorsOf(spec)).toEqual(errors)
  })
})
