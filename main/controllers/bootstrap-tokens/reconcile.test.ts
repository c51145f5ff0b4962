import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { configMaps, secrets } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { ManualClock } from '../../../common/client/testing/manual-clock.ts'
import { createManualClock } from '../../../common/client/testing/manual-clock.ts'
import { formatTime } from '../../../common/machinery/clock.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'

let cluster: TestControllers
let clock: ManualClock
beforeEach(async () => {
  clock = createManualClock()
  cluster = await startTestControllers(['bootstrapsigner', 'tokencleaner'], clock)
})
afterEach(() => cluster.stop())

const addToken = (id: string, data: Record<string, string>): Promise<unknown> =>
  cluster.client.create(secrets, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
    type: 'bootstrap.kubernetes.io/token',
    data: Object.fromEntries(
      Object.entries({ 'token-id': id, 'token-secret': '0123456789abcdef', ...data }).map(([key, value]) => [
        key,
        Buffer.from(value).toString('base64'),
      ]),
    ),
  })
const signatures = async (): Promise<Record<string, string>> => {
  const { data = {} } = await cluster.client.get(configMaps, 'cluster-info', 'kube-public')
  return Object.fromEntries(Object.entries(data).filter(([key]) => key !== 'kubeconfig'))
}

it('tokens sign the information about the cluster until they end, and then go', async () => {
  await cluster.client.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'cluster-info', namespace: 'kube-public' },
    data: { kubeconfig: 'where' },
  })
  const expiration = formatTime(clock.now() + 60_000)
  await addToken('abcdef', { 'usage-bootstrap-signing': 'true', expiration })
  await addToken('silent', {})
  const header = Buffer.from('{"alg":"HS256","kid":"abcdef"}').toString('base64url')
  const content = Buffer.from('where').toString('base64url')
  const hmac = createHmac('sha256', '0123456789abcdef').update(`${header}.${content}`).digest('base64url')
  await eventually(async () => {
    expect(await signatures()).toEqual({ 'jws-kubeconfig-abcdef': `${header}..${hmac}` })
  })
  await eventually(async () => {
    await clock.advance(61_000)
    const left = await cluster.client.list(secrets, { namespace: 'kube-system' })
    expect(left.items.map(({ metadata }) => metadata.name)).toEqual(['bootstrap-token-silent'])
    expect(await signatures()).toEqual({})
  })
})
