import { describe, expect, it } from 'vitest'
import type { PodSpec } from '../../../../common/api/generated/types.ts'
import { deployment } from '../../apps/deployment/index.ts'
import { createObject, type Manifest } from '../../testing/lifecycle.ts'
import { pod } from '../pod/index.ts'

const container = { name: 'main', image: 'x' }
const warningsOf = (spec: Record<string, unknown>, metadata: Manifest['metadata'] = {}): string[] => {
  const { object } = createObject(pod, { metadata, spec: { containers: [container], ...spec } })
  return pod.warnings?.(object, undefined) ?? []
}
const withContainer = (fields: object): Record<string, unknown> => ({ containers: [{ ...container, ...fields }] })

describe('warnings about pods', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [{}, []],
    [
      { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } },
      ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead'],
    ],
    [
      {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', operator: 'Exists' }] },
              ],
            },
          },
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname' }],
          },
        },
      },
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
        'spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector: a null labelSelector results in matching no pod',
      ],
    ],
    [
      { terminationGracePeriodSeconds: -1 },
      ['spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1'],
    ],
    [
      { imagePullSecrets: [{ name: 'a' }, { name: 'a' }, { name: '' }] },
      ['spec.imagePullSecrets[1].name: duplicate name "a"', 'spec.imagePullSecrets[2].name: invalid empty name ""'],
    ],
    [
      withContainer({ resources: { requests: { memory: '100m' } } }),
      ['spec.containers[0].resources.requests[memory]: fractional byte value "100m" is invalid, must be an integer'],
    ],
    [
      withContainer({
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '$(A)2' },
          { name: 'A', value: '3' },
        ],
      }),
      ['spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply'],
    ],
    [
      withContainer({ ports: [{ containerPort: 80 }, { containerPort: 80 }, { containerPort: 80, hostPort: 8080 }] }),
      [
        'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
        'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]',
        'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]',
      ],
    ],
    [
      {
        volumes: [
          {
            name: 'v',
            configMap: {
              name: 'c',
              items: [
                { key: 'a', path: 'x' },
                { key: 'b', path: 'x/y' },
              ],
            },
          },
          { name: 'g', glusterfs: { endpoints: 'e', path: 'p' } },
        ],
      },
      [
        'spec.volumes[1].glusterfs: deprecated in v1.25, non-functional in v1.26+',
        'volume "v" (ConfigMap "c"): overlapping paths: "x/y" with "x"',
      ],
    ],
  ])('with %j', (spec, warnings) => {
    expect(warningsOf(spec)).toEqual(warnings)
  })

  it('name annotations without function', () => {
    const annotations = {
      'security.alpha.kubernetes.io/sysctls': 'x',
      'seccomp.security.alpha.kubernetes.io/pod': 'x',
      'container.apparmor.security.beta.kubernetes.io/main': 'x',
    }
    expect(warningsOf({}, { annotations })).toEqual([
      'metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead',
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      'metadata.annotations[container.apparmor.security.beta.kubernetes.io/main]: deprecated since v1.30; use the "appArmorProfile" field instead',
    ])
  })

  it('are about templates too, and said when something desired changed', () => {
    const labels = { app: 'a' }
    const spec: PodSpec = { containers: [container], nodeSelector: { 'beta.kubernetes.io/arch': 'arm64' } }
    const template = { metadata: { labels }, spec }
    const { object } = createObject(deployment, { spec: { selector: { matchLabels: labels }, template } })
    const generation = (value: number): typeof object => ({
      ...object,
      metadata: { ...object.metadata, generation: value },
    })
    const warning =
      'spec.template.spec.nodeSelector[beta.kubernetes.io/arch]: deprecated since v1.14; use "kubernetes.io/arch" instead'
    expect(deployment.warnings?.(object, undefined)).toEqual([warning])
    expect(deployment.warnings?.(generation(2), generation(1))).toEqual([warning])
    expect(deployment.warnings?.(generation(2), generation(2))).toEqual([])
  })
})
