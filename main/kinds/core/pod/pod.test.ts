import { describe, expect, it } from 'vitest'
import type { Container, Pod, ResourceRequirements } from '../../../../common/api/generated/types.ts'
import { runKindContract } from '../../kind-contract.ts'
import { createObject, testNow, updateObject, type Manifest } from '../../testing/lifecycle.ts'
import { fullPod, simpleSpec } from '../../testing/pods.ts'
import { pod } from './index.ts'

runKindContract(pod, { valid: [{ spec: simpleSpec() }, fullPod()] })

const newPod = (spec: Record<string, unknown> = {}, metadata: Record<string, unknown> = {}): Pod =>
  createObject(pod, { metadata, spec: { ...simpleSpec(), ...spec } }).object

describe('defaults of a pod', () => {
  it('are those of Kubernetes', () => {
    expect(newPod().spec).toEqual({
      containers: [
        {
          name: 'main',
          image: 'hello:1.0',
          imagePullPolicy: 'IfNotPresent',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    })
  })

  it.each([
    ['hello', 'Always'],
    ['hello:latest', 'Always'],
    ['registry:5000/hello', 'Always'],
    ['registry:5000/hello:1', 'IfNotPresent'],
    ['hello@sha256:abc', 'IfNotPresent'],
    ['hello:latest@sha256:abc', 'Always'],
  ])('pull %s %s', (image, policy) => {
    expect(newPod({ containers: [{ name: 'main', image }] }).spec?.containers[0]?.imagePullPolicy).toBe(policy)
  })

  it('request what is limited, set probe times, and give a volume without source an empty directory', () => {
    const { spec, status } = createObject(pod, fullPod()).object
    expect(spec?.containers[0]?.resources?.requests).toEqual({ cpu: '100m', memory: '64Mi' })
    expect(spec?.containers[0]?.livenessProbe).toEqual({
      httpGet: { path: '/', port: 'http', scheme: 'HTTP' },
      failureThreshold: 3,
      periodSeconds: 10,
      successThreshold: 1,
      timeoutSeconds: 1,
    })
    expect(spec?.volumes?.find((volume) => volume.name === 'plain')).toEqual({ name: 'plain', emptyDir: {} })
    expect(spec?.serviceAccount).toBe('default')
    expect(status).toEqual({ phase: 'Pending', qosClass: 'Burstable' })
  })

  it.each([
    [{}, 'BestEffort'],
    [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }, 'Guaranteed'],
    [{ limits: { cpu: '1' } }, 'Burstable'],
    [{ requests: { memory: '1Mi' } }, 'Burstable'],
  ])('compute the quality of service of %j: %s', (resources, qosClass) => {
    expect(newPod({ containers: [{ name: 'main', image: 'a:1', resources }] }).status?.qosClass).toBe(qosClass)
  })

  it('use container ports on the node with its network', () => {
    const spec = { hostNetwork: true, containers: [{ name: 'main', image: 'a:1', ports: [{ containerPort: 80 }] }] }
    expect(newPod(spec).spec?.containers[0]?.ports).toEqual([{ containerPort: 80, hostPort: 80, protocol: 'TCP' }])
  })

  it('hold a gated pod back', () => {
    const { status } = newPod({ schedulingGates: [{ name: 'example.com/wait' }] })
    expect(status?.conditions?.[0]).toMatchObject({ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' })
  })
})

describe('validation of a pod', () => {
  const container = (extra: Record<string, unknown>): Record<string, unknown> => ({
    containers: [{ name: 'main', image: 'a:1', ...extra }],
  })
  const at = 'spec.containers[0]'
  const label =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
  const cases: [string, Record<string, unknown>, string[]][] = [
    ['no containers', { containers: [] }, ['spec.containers: Required value']],
    ['no image', { containers: [{ name: 'main' }] }, [`${at}.image: Required value`]],
    ['a bad name', { containers: [{ name: 'Main', image: 'a' }] }, [`${at}.name: Invalid value: "Main": ${label}`]],
    [
      'the same name twice',
      { containers: [{ name: 'a', image: 'a' }], initContainers: [{ name: 'a', image: 'a' }] },
      ['spec.initContainers[0].name: Duplicate value: "a"'],
    ],
    [
      'spaces around an image',
      container({ image: ' a' }),
      [`${at}.image: Invalid value: " a": must not have leading or trailing whitespace`],
    ],
    [
      'an unknown pull policy',
      container({ imagePullPolicy: 'Maybe' }),
      [`${at}.imagePullPolicy: Unsupported value: "Maybe": supported values: "Always", "IfNotPresent", "Never"`],
    ],
    [
      'a port out of range',
      container({ ports: [{ containerPort: 70_000 }] }),
      [`${at}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`],
    ],
    [
      'a host port twice',
      container({
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80 },
        ],
      }),
      [`${at}.ports[1].hostPort: Duplicate value: "TCP//80"`],
    ],
    [
      'a request over its limit',
      container({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
      [`${at}.resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`],
    ],
    [
      'an unknown resource',
      container({ resources: { limits: { gpu: '1' } } }),
      [
        `${at}.resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified`,
        `${at}.resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
        `${at}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified`,
        `${at}.resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers`,
      ],
    ],
    [
      'a negative request',
      container({ resources: { requests: { cpu: '-1' } } }),
      [`${at}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0`],
    ],
    [
      'half a device',
      container({ resources: { limits: { 'example.com/gpu': '500m' } } }),
      [
        `${at}.resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer`,
        `${at}.resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer`,
      ],
    ],
    [
      'a mount without volume',
      container({ volumeMounts: [{ name: 'x', mountPath: '/x' }] }),
      [`${at}.volumeMounts[0].name: Not found: "x"`],
    ],
    [
      'a probe without handler',
      container({ livenessProbe: {} }),
      [`${at}.livenessProbe: Required value: must specify a handler type`],
    ],
    [
      'two handlers',
      container({ livenessProbe: { exec: { command: ['a'] }, tcpSocket: { port: 1 } } }),
      [`${at}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`],
    ],
    [
      'a liveness probe that must succeed twice',
      container({ livenessProbe: { tcpSocket: { port: 1 }, successThreshold: 2 } }),
      [`${at}.livenessProbe.successThreshold: Invalid value: 2: must be 1`],
    ],
    [
      'a probe of an init container',
      { ...simpleSpec(), initContainers: [{ name: 'i', image: 'a', readinessProbe: { tcpSocket: { port: 1 } } }] },
      [
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'an environment variable from nowhere',
      container({ env: [{ name: 'A', valueFrom: {} }] }),
      [
        `${at}.env[0].valueFrom: Invalid value: "": must specify one of: \`fieldRef\`, \`resourceFieldRef\`, \`configMapKeyRef\` or \`secretKeyRef\``,
      ],
    ],
    [
      'an unsupported field',
      container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }] }),
      [
        `${at}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
      ],
    ],
    [
      'privilege that cannot be',
      container({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      [
        `${at}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
      ],
    ],
    [
      'two sources of a volume',
      { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] },
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'a file outside a volume',
      { volumes: [{ name: 'v', secret: { secretName: 's', items: [{ key: 'k', path: '../x' }] } }] },
      ['spec.volumes[0].secret.items[0].path: Invalid value: "../x": must not contain \'..\''],
    ],
    [
      'an unknown restart policy',
      { restartPolicy: 'Sometimes' },
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'a bad toleration',
      { tolerations: [{ operator: 'Equal' }] },
      [
        'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      'a bad node selector',
      { nodeSelector: { 'a b': 'c' } },
      [
        `spec.nodeSelector: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
      ],
    ],
    [
      'an affinity without terms',
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {} } } },
      [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
      ],
    ],
    [
      'DNS without servers',
      { dnsPolicy: 'None' },
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'user 2^31',
      { securityContext: { runAsUser: 2 ** 31 } },
      ['spec.securityContext.runAsUser: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive'],
    ],
    [
      'debugging on creation',
      { ephemeralContainers: [{ name: 'debug', image: 'a' }] },
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
  ]
  it.each(cases)('refuses %s', (_, spec, errors) => {
    expect(createObject(pod, { spec: { ...simpleSpec(), ...spec } }).errors).toEqual(errors)
  })

  it('collects everything that is wrong', () => {
    const manifest: Manifest = { spec: { containers: [{ name: '', image: '' }], dnsPolicy: 'x', restartPolicy: 'y' } }
    expect(createObject(pod, manifest).errors.map((error) => error.split(':')[0])).toEqual([
      'spec.containers[0].name',
      'spec.containers[0].image',
      'spec.restartPolicy',
      'spec.dnsPolicy',
    ])
  })
})

describe('updates of a pod', () => {
  const spec = { activeDeadlineSeconds: 100, tolerations: [{ key: 'a', operator: 'Exists' }] }

  it.each<[string, (object: Pod) => void]>([
    ['another image', ({ spec }) => Object.assign(spec?.containers[0] ?? {}, { image: 'hello:2' })],
    ['an earlier deadline', (object) => Object.assign(object.spec ?? {}, { activeDeadlineSeconds: 50 })],
    ['one more toleration', ({ spec }) => spec?.tolerations?.push({ key: 'b', operator: 'Exists' })],
    ['other labels', ({ metadata }) => Object.assign(metadata, { labels: { a: 'b' } })],
  ])('allow %s', (_, change) => {
    expect(updateObject(pod, newPod(spec), change).errors).toEqual([])
  })

  it('refuse any other change with the list of what may change', () => {
    const { errors } = updateObject(pod, newPod(), ({ spec }) =>
      Object.assign(spec?.containers[0] ?? {}, { command: ['sh'] }),
    )
    expect(errors).toEqual([
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n+ containers[0].command: ["sh"]',
    ])
  })

  it.each<[string, (object: Pod) => void, string]>([
    [
      'fewer containers',
      (object) => Object.assign(object.spec ?? {}, { containers: [] }),
      'spec.containers: Forbidden: pod updates may not add or remove containers',
    ],
    [
      'a later deadline',
      (object) => Object.assign(object.spec ?? {}, { activeDeadlineSeconds: 200 }),
      'spec.activeDeadlineSeconds: Invalid value: 200: must be less than or equal to previous value',
    ],
    [
      'fewer tolerations',
      (object) => Object.assign(object.spec ?? {}, { tolerations: [] }),
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ],
  ])('refuse %s', (_, change, error) => {
    expect(updateObject(pod, newPod(spec), change).errors).toContain(error)
  })

  it('let a gated pod be narrowed, and the gates only go', () => {
    const gated = newPod({ schedulingGates: [{ name: 'example.com/a' }], nodeSelector: { a: 'b' } })
    const narrow = updateObject(pod, gated, ({ spec }) =>
      Object.assign(spec ?? {}, { nodeSelector: { a: 'b', c: 'd' } }),
    )
    expect(narrow.errors).toEqual([])
    const widen = updateObject(pod, gated, ({ spec }) => Object.assign(spec ?? {}, { nodeSelector: {} }))
    expect(widen.errors).toHaveLength(1)
    const more = updateObject(pod, gated, ({ spec }) => spec?.schedulingGates?.push({ name: 'example.com/b' }))
    expect(more.errors).toEqual([
      "spec.schedulingGates[1].name: Forbidden: only deletion is allowed, but found new scheduling gate 'example.com/b'",
    ])
  })

  it('keep the dead dead', () => {
    const old = newPod({ restartPolicy: 'Never' })
    const status = { name: 'main', image: '', imageID: '', ready: false, restartCount: 0 }
    old.status = { ...old.status, containerStatuses: [{ ...status, state: { terminated: { exitCode: 0 } } }] }
    const revived = updateObject(
      pod,
      old,
      (object) => Object.assign(object.status ?? {}, { containerStatuses: [{ ...status, state: { running: {} } }] }),
      { door: 'status' },
    )
    expect(revived.errors).toEqual([
      'status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state',
    ])
  })

  it('add ephemeral containers through their own door only', () => {
    const old = newPod()
    const add = (object: Pod): void => {
      Object.assign(object.spec ?? {}, {
        ephemeralContainers: [{ name: 'debug', image: 'toolbox', targetContainerName: 'main' }],
      })
    }
    expect(updateObject(pod, old, add).errors).toHaveLength(1)
    const through = updateObject(pod, old, add, { door: 'ephemeralcontainers' })
    expect(through.errors).toEqual([])
    expect(through.object.spec?.ephemeralContainers?.[0]?.name).toBe('debug')
    const removed = updateObject(
      pod,
      through.object,
      (object) => Object.assign(object.spec ?? {}, { ephemeralContainers: [] }),
      {
        door: 'ephemeralcontainers',
      },
    )
    expect(removed.errors).toEqual([
      'spec.ephemeralContainers: Forbidden: existing ephemeral containers "debug" may not be removed\n',
    ])
  })

  it('resize cpu and memory without changing the class', () => {
    const old = newPod({ containers: [{ name: 'main', image: 'a:1', resources: { requests: { cpu: '100m' } } }] })
    const resize = (requests: Record<string, string>) =>
      updateObject(pod, old, ({ spec }) => Object.assign(spec?.containers[0]?.resources ?? {}, { requests }), {
        door: 'resize',
      })
    expect(resize({ cpu: '200m' }).errors).toEqual([])
    expect(resize({}).errors).toContain(
      'spec: Invalid value: "Burstable": Pod QOS Class may not change as a result of resizing',
    )
    expect(resize({ cpu: '1', 'ephemeral-storage': '1Gi' }).errors).toEqual([
      'spec: Forbidden: only cpu and memory resources are mutable',
    ])
  })

  it('resize needs a node that reports resources', () => {
    const old = createObject(pod, {
      spec: { containers: [{ name: 'a', image: 'x', resources: { requests: { cpu: '1' } } }] },
    })
    const running = (reported: object) => {
      const state = { running: { startedAt: testNow } }
      const status = { name: 'a', image: 'x', imageID: 'x', ready: true, restartCount: 0, state, ...reported }
      const object: Pod = { ...old.object, status: { ...old.object.status, containerStatuses: [status] } }
      return updateObject(
        pod,
        object,
        ({ spec }) => Object.assign(spec?.containers?.[0] ?? {}, { resources: { requests: { cpu: '2' } } }),
        { door: 'resize' },
      ).errors
    }
    expect(running({})).toEqual(['spec: Forbidden: Pod running on node without support for resize'])
    expect(running({ resources: { requests: { cpu: '1' } } })).toEqual([])
  })

  it('resize keeps its containers as they are', () => {
    const old = newPod({
      containers: [
        { name: 'one', image: 'a:1', resources: { requests: { cpu: '100m' } } },
        { name: 'two', image: 'a:1', resources: { requests: { cpu: '100m' } } },
      ],
    })
    const resize = (mutate: (containers: Container[]) => unknown) =>
      updateObject(pod, old, ({ spec }) => mutate(spec?.containers ?? []), { door: 'resize' }).errors
    const moved = (index: number) =>
      `spec.containers[${String(index)}].name: Forbidden: containers may not be renamed or reordered on resize`
    expect(resize((containers) => containers.reverse())).toEqual([moved(0), moved(1)])
    expect(resize((containers) => Object.assign(containers[1] ?? {}, { name: 'three' }))).toEqual([moved(1)])
    expect(resize((containers) => containers.pop())).toEqual([
      'spec.containers: Forbidden: containers may not be added or removed on resize',
    ])
    // Other fields go back to what they were.
    expect(resize((containers) => Object.assign(containers[0] ?? {}, { image: 'b:2' }))).toEqual([])
  })

  it('resize the resources of the whole pod', () => {
    const old = newPod({
      resources: { requests: { cpu: '1', memory: '1Gi' } },
      containers: [{ name: 'main', image: 'a:1' }],
    })
    const resize = (resources: ResourceRequirements | undefined) =>
      updateObject(pod, old, ({ spec }) => Object.assign(spec ?? {}, { resources }), { door: 'resize' })
    const grown = resize({ requests: { cpu: '2', memory: '1Gi' } })
    expect(grown.errors).toEqual([])
    expect(grown.object.spec?.resources?.requests).toEqual({ cpu: '2', memory: '1Gi' })
    expect(resize({ requests: { cpu: '2' } }).errors).toEqual([
      'spec.resources.requests: Forbidden: pod-level resource requests cannot be removed',
    ])
    expect(resize(undefined).errors).toContain('spec.resources: Forbidden: pod-level resources cannot be removed')
  })
})

describe('grace period of a pod', () => {
  const grace = (object: Pod, requested?: number): number | undefined => pod.gracePeriodSeconds?.(object, requested)

  it('is none before it is scheduled and after it finished', () => {
    expect(grace(newPod())).toBe(0)
    expect(grace({ ...newPod({ nodeName: 'n' }), status: { phase: 'Succeeded' } })).toBe(0)
  })

  it("is what was asked for, else the pod's own", () => {
    expect(grace(newPod({ nodeName: 'n', terminationGracePeriodSeconds: 7 }))).toBe(7)
    expect(grace(newPod({ nodeName: 'n' }), 0)).toBe(0)
    expect(grace(newPod({ nodeName: 'n' }), -5)).toBe(1)
  })
})

describe('the row of a pod in a Table', () => {
  it.each([
    [
      'Succeeded',
      [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }],
    ],
    ['Failed', [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }]],
    ['Running', []],
  ])('says when it is %s', (phase, conditions) => {
    const { object } = createObject(pod, { spec: simpleSpec() })
    expect(pod.rowConditions?.({ ...object, status: { phase } })).toEqual(conditions)
  })
})
