// Machines come and go while the cluster lives: added, switched off and on, deleted without a trace.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { openLab, podDeadlineMs, type Lab } from '../harness/lab.ts'

let lab: Lab
const name = 'third'

beforeAll(async () => {
  lab = await openLab()
})
afterAll(async () => {
  await lab.kubectl(`delete machine ${name} --ignore-not-found --wait=false`)
})

const nodeReady = async (): Promise<string> =>
  (await lab.kubectl(`get node ${name} -o jsonpath={.status.conditions[?(@.type=="Ready")].status}`)).stdout
const machinePhase = (): Promise<string> => lab.ok(`get machine ${name} -o jsonpath={.status.phase}`)
const power = (state: 'Running' | 'Stopped'): Promise<string> =>
  lab.ok(['patch', 'machine', name, '--type=merge', '-p', JSON.stringify({ spec: { powerState: state } })])
const up = (): Promise<unknown> =>
  eventually('the third node is Ready', async () => (await nodeReady()) === 'True', {
    deadlineMs: podDeadlineMs,
    everyMs: 1000,
  })

it('a third machine joins', async () => {
  await lab.ok('apply -f -', {
    input: `apiVersion: lab.orrery.dev/v1alpha1\nkind: Machine\nmetadata: {name: ${name}}\nspec: {arch: amd64, memoryMiB: 384}\n`,
  })
  await up()
  expect(await lab.ok(`get node ${name} -o jsonpath={.metadata.labels}`)).toContain('"kubernetes.io/arch":"amd64"')
})

it('switched off it says so at once and takes no pods; on again it is the same node', async () => {
  const uid = await lab.ok(`get node ${name} -o jsonpath={.metadata.uid}`)
  await power('Stopped')
  await eventually('it is off', async () => (await machinePhase()) === 'Stopped', { everyMs: 200 })
  expect(await nodeReady()).toBe('False')
  await power('Running')
  await up()
  expect(await lab.ok(`get node ${name} -o jsonpath={.metadata.uid}`)).toBe(uid)
})

it('deleted it leaves no node, no process and no disk', async () => {
  const { folder, state } = lab.paths.machine(name)
  const { pid } = JSON.parse(await readFile(state, 'utf8')) as { pid: number }
  await lab.ok(`delete machine ${name}`)
  await eventually('its node is gone', async () => (await lab.kubectl(`get node ${name}`)).code !== 0)
  await eventually('its folder is gone', async () => !existsSync(folder))
  expect(existsSync(`/proc/${String(pid)}`)).toBe(false)
})
