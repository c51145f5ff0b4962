// Everything is killed in turn while a Deployment serves; all of it comes back without a hand.
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { lockHolder } from '../../main/engine/home-lock.ts'
import { eventually } from '../harness/eventually.ts'
import { openLab, podDeadlineMs, type Lab } from '../harness/lab.ts'

let lab: Lab
const ns = 'healing-test'

beforeAll(async () => {
  lab = await openLab()
  await lab.ok(`create namespace ${ns}`)
  await lab.ok('apply -f -', {
    input: `
apiVersion: apps/v1
kind: Deployment
metadata: {name: steady, namespace: ${ns}}
spec:
  replicas: 2
  selector: {matchLabels: {app: steady}}
  template:
    metadata: {labels: {app: steady}}
    spec:
      terminationGracePeriodSeconds: 1
      topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: steady}}}]
      containers:
        - name: main
          image: hello:1.0
          ports: [{containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}, periodSeconds: 2, timeoutSeconds: 10}
---
apiVersion: v1
kind: Service
metadata: {name: steady, namespace: ${ns}}
spec: {selector: {app: steady}, ports: [{port: 80, targetPort: 8080}]}
`,
  })
  await lab.deploymentReady('steady', ns)
})
afterAll(async () => {
  await lab.kubectl(`delete namespace ${ns} --wait=false`)
})

const shell = (node: string, script: string): Promise<{ code: number; stdout: string }> =>
  lab.orrery(['shell', node], { input: `${script}\n`, timeoutMs: 90_000 })

/** A fresh forward each time: the engine itself may have been replaced since. */
async function served(): Promise<void> {
  await eventually(
    'the service answers',
    async () => {
      const { code, stdout } = await lab.orrery(['open', 'service/steady', '-n', ns])
      if (code !== 0) return false
      const answer = await fetch(stdout.trim(), { signal: AbortSignal.timeout(20_000) })
      return answer.ok
    },
    { deadlineMs: podDeadlineMs, everyMs: 1000 },
  )
}

interface Pods {
  items: {
    metadata: { name: string; uid: string }
    status: { containerStatuses?: { containerID?: string; restartCount: number }[] }
  }[]
}
const containers = async (): Promise<string[]> => {
  const { items } = await lab.json<Pods>(`get pods -n ${ns} -l app=steady`)
  return items.map((pod) => pod.status.containerStatuses?.[0]?.containerID ?? '').sort()
}

it('the engine: VMs and pods go on untouched, nothing acknowledged is lost', async () => {
  const before = await containers()
  await lab.ok(`create configmap kept -n ${ns} --from-literal=a=b`)
  const pid = await lockHolder(lab.paths.lock)
  expect(pid).toBeDefined()
  process.kill(pid ?? 0, 'SIGKILL')
  const up = await lab.orrery(['up', '--timeout', '300'], { timeoutMs: 330_000 })
  expect(up.stderr).toBe('')
  expect(await lab.ok(`get configmap kept -n ${ns} -o jsonpath={.data.a}`)).toBe('b')
  await lab.deploymentReady('steady', ns)
  await served()
  expect(await containers()).toEqual(before)
})

it('the node agent: its pods keep running and it finds them again', async () => {
  const node = await lab.node('amd64')
  const before = await containers()
  await shell(node, "kill -9 $(grep -al 'orrery/[a]gent.mjs' /proc/[0-9]*/cmdline | cut -d/ -f3)")
  await eventually(
    'the node is connected again',
    async () => (await shell(node, 'echo alive-$((40+2))')).stdout.includes('alive-42'),
    { deadlineMs: podDeadlineMs, everyMs: 1000 },
  )
  await lab.deploymentReady('steady', ns)
  await served()
  expect(await containers()).toEqual(before)
})

it('containerd: it is started again and pods go on', async () => {
  const node = await lab.node('amd64')
  await shell(node, 'for p in /proc/[0-9]*; do [ "$(cat $p/comm)" = containerd ] && kill -9 ${p#/proc/}; done')
  await eventually(
    'containerd answers and the node is Ready',
    async () =>
      (await shell(node, 'ctr version >/dev/null && echo runtime-$((40+2))')).stdout.includes('runtime-42') &&
      (await lab.ok(`get node ${node}`)).includes(' Ready '),
    { deadlineMs: podDeadlineMs, everyMs: 1000 },
  )
  await lab.deploymentReady('steady', ns)
  await served()
})

it('a VM: seen at once, booted again, and the lab says what happened', async () => {
  const node = await lab.node('amd64')
  const { pid } = JSON.parse(await readFile(lab.paths.machine(node).state, 'utf8')) as { pid: number }
  process.kill(pid, 'SIGKILL')
  await eventually(
    'the crash is counted',
    async () => Number(await lab.ok(`get machine ${node} -o jsonpath={.status.crashes}`)) > 0,
  )
  await eventually(
    'the node is Ready after its new boot',
    async () => {
      const machine = await lab.json<{ status: { phase: string; pid?: number } }>(`get machine ${node}`)
      return (
        machine.status.phase === 'Running' &&
        machine.status.pid !== pid &&
        (await lab.ok(`get node ${node}`)).includes(' Ready ')
      )
    },
    { deadlineMs: podDeadlineMs, everyMs: 1000 },
  )
  expect(await lab.ok(`get events -A --field-selector involvedObject.kind=Machine`)).toContain(node)
  await lab.deploymentReady('steady', ns)
  await served()
})
