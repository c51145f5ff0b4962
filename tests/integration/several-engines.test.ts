// Several engines on one etcd: each serves what the others wrote, one of them runs the controllers, and another goes on when it dies.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts'
import { eventually } from '../harness/eventually.ts'
import { EtcdProcesses, newPorts, urlOf } from '../harness/etcd.ts'

let folder: string
const etcd = new EtcdProcesses()
let servers: string
const planes: ControlPlane[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-etcd-'))
  const ports = await newPorts()
  await etcd.prepare()
  await etcd.start(folder, ports)
  servers = urlOf(ports)
}, 300_000)
afterEach(async () => {
  await Promise.all(planes.splice(0).map((plane) => plane.stop()))
  await etcd.stopAll()
  await rm(folder, { recursive: true, force: true })
})

async function start(): Promise<ControlPlane> {
  const plane = await startControlPlane([
    `--etcd-servers=${servers}`,
    ...['--leader-elect-lease-duration=4s', '--leader-elect-renew-deadline=3s', '--leader-elect-retry-period=500ms'],
  ])
  planes.push(plane)
  return plane
}

const holder = (plane: ControlPlane, lease: string): Promise<string> =>
  plane.ok(`get lease -n kube-system ${lease} -o jsonpath={.spec.holderIdentity}`)

it('serve the same, elect who runs controllers and scheduler, and take over from who is killed', async () => {
  const first = await start()
  const leases = ['kube-controller-manager', 'kube-scheduler']
  const led = await eventually('the first leads', async () => {
    const holders = await Promise.all(leases.map((lease) => holder(first, lease).catch(() => '')))
    return holders.every((each) => each !== '') ? holders : undefined
  })
  const second = await start()
  await second.ok('create deployment web --image=hello:1.0 --replicas=2')
  await eventually(
    'the first made pods of what the second took',
    async () => (await second.ok('get pods -o name')).trim().split('\n').filter(Boolean).length === 2,
  )
  expect(await Promise.all(leases.map((lease) => holder(second, lease)))).toEqual(led)
  const identities = 'get lease -n kube-system -l apiserver.kubernetes.io/identity=kube-apiserver -o name'
  expect((await first.ok(identities)).trim().split('\n')).toHaveLength(2)

  await first.kill()
  await second.ok('scale deployment web --replicas=3')
  await eventually(
    'the second goes on',
    async () => (await second.ok('get pods -o name')).trim().split('\n').length === 3,
    { deadlineMs: 120_000 },
  )
  for (const [index, lease] of leases.entries()) {
    await eventually('the lease is the second one’s', async () => (await holder(second, lease)) !== led[index])
    expect(await second.ok(`get lease -n kube-system ${lease} -o jsonpath={.spec.leaseTransitions}`)).toBe('1')
  }
})
