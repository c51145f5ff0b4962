// What pods may ask of a node, seen on real ones: sidecars, failing starts, memory's end, a debugger, a resize, a volume that stays.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { openLab, podDeadlineMs, type Lab } from '../harness/lab.ts'

let lab: Lab
const ns = 'pods-test'

const manifest = `
apiVersion: v1
kind: Pod
metadata: {name: sidecar, namespace: ${ns}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 2
  initContainers:
    - {name: side, image: toolbox:1.0, restartPolicy: Always, command: [sh, -c, "echo beside; exec sleep 100000"]}
    - {name: first, image: toolbox:1.0, command: [sh, -c, "echo before"]}
  containers: [{name: main, image: toolbox:1.0, command: [sh, -c, "echo done"]}]
---
apiVersion: v1
kind: Pod
metadata: {name: failing, namespace: ${ns}}
spec:
  terminationGracePeriodSeconds: 1
  initContainers: [{name: bad, image: toolbox:1.0, command: [sh, -c, "echo not today; exit 3"]}]
  containers: [{name: main, image: toolbox:1.0}]
---
apiVersion: v1
kind: Pod
metadata: {name: hungry, namespace: ${ns}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: toolbox:1.0
      command: [sh, -c, "tail -c 60m /dev/zero"]
      resources: {limits: {memory: 24Mi}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kept, namespace: ${ns}}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 8Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: steady, namespace: ${ns}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: main
      image: toolbox:1.0
      command: [sh, -c, "echo start >>/data/starts; exec sleep 100000"]
      resources: {limits: {cpu: 200m, memory: 32Mi}}
      volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: kept}}]
---
apiVersion: v1
kind: Service
metadata: {name: alias, namespace: ${ns}}
spec: {type: ExternalName, externalName: kubernetes.default.svc.cluster.local}
`
const steady = manifest.split('---\n').find((part) => part.includes('name: steady')) ?? ''

const read = (pod: string, path: string): Promise<string> => lab.ok(`get pod ${pod} -n ${ns} -o jsonpath={${path}}`)
const becomes = (pod: string, path: string, value: string): Promise<unknown> =>
  eventually(`${pod}: ${path} is ${value}`, async () => (await read(pod, path)) === value, {
    deadlineMs: podDeadlineMs,
    everyMs: 500,
  })

beforeAll(async () => {
  lab = await openLab()
  await lab.ok(`create namespace ${ns}`)
  await lab.ok('apply -f -', { input: manifest })
})
afterAll(async () => {
  await lab.kubectl(`delete namespace ${ns} --wait=false`)
})

it('a sidecar starts first, runs beside, and does not keep the pod from completing', async () => {
  await becomes('sidecar', '.status.phase', 'Succeeded')
  for (const [container, words] of [
    ['side', 'beside'],
    ['first', 'before'],
    ['main', 'done'],
  ] as const)
    expect(await lab.ok(`logs -n ${ns} sidecar -c ${container}`)).toContain(words)
  const started = async (index: number): Promise<number> =>
    Date.parse(await read('sidecar', `.status.initContainerStatuses[${String(index)}].state.terminated.startedAt`))
  expect(await started(0)).toBeLessThanOrEqual(await started(1))
})

it('an init container that fails keeps the pod waiting, with its log and exit code', async () => {
  await becomes('failing', '.status.initContainerStatuses[0].state.waiting.reason', 'CrashLoopBackOff')
  expect(await read('failing', '.status.initContainerStatuses[0].lastState.terminated.exitCode')).toBe('3')
  expect(await lab.ok(`logs -n ${ns} failing -c bad`)).toContain('not today')
})

it('a container over its memory limit is OOMKilled, and describe says so', async () => {
  // The runtime learns of the kernel's kill beside the exit, not always before it: one of the restarts shows it.
  await becomes('hungry', '.status.containerStatuses[0].lastState.terminated.reason', 'OOMKilled')
  expect(await lab.ok(`describe pod hungry -n ${ns}`)).toMatch(/Reason: +OOMKilled\s+Exit Code: +137/)
})

it('a debugger joins a running container and sees its processes', async () => {
  await becomes('steady', '.status.containerStatuses[0].ready', 'true')
  await lab.ok(['debug', '-n', ns, 'steady', '--image=toolbox:1.0', '--target=main', '-c', 'debugger', '--', 'ps'])
  await becomes('steady', '.status.ephemeralContainerStatuses[0].state.terminated.exitCode', '0')
  expect(await lab.ok(`logs -n ${ns} steady -c debugger`)).toContain('sleep 100000')
})

it('is resized without a restart, or told why not', async () => {
  const resize = (limits: Record<string, string>): Promise<string> =>
    lab.ok(['patch', 'pod', 'steady', '-n', ns, '--subresource=resize', '-p', JSON.stringify({ spec: { containers: [{ name: 'main', resources: { limits, requests: limits } }] } })]) // prettier-ignore
  const containerID = await read('steady', '.status.containerStatuses[0].containerID')
  await resize({ cpu: '300m', memory: '48Mi' })
  await becomes('steady', '.status.containerStatuses[0].resources.limits.memory', '48Mi')
  expect((await lab.ok(`exec -n ${ns} steady -c main -- cat /sys/fs/cgroup/memory.max`)).trim()).toBe('50331648')
  await resize({ cpu: '300m', memory: '4Gi' })
  await becomes('steady', '.status.conditions[?(@.type=="PodResizePending")].reason', 'Infeasible')
  await resize({ cpu: '300m', memory: '48Mi' })
  expect(await read('steady', '.status.containerStatuses[0].containerID')).toBe(containerID)
})

it('what it wrote to its claim is there for the next pod', async () => {
  await lab.ok(`delete pod steady -n ${ns}`)
  await lab.ok('apply -f -', { input: steady })
  await becomes('steady', '.status.containerStatuses[0].ready', 'true')
  expect(await lab.ok(`exec -n ${ns} steady -- cat /data/starts`)).toBe('start\nstart\n')
})

it('finds another service through an alias', async () => {
  expect(await lab.ok(`exec -n ${ns} steady -- dig +short +time=10 alias.${ns}.svc.cluster.local`)).toContain(
    '10.96.0.1',
  )
})
