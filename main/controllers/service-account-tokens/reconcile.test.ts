import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Secret, TokenReview } from '../../../common/api/generated/types.ts'
import { secrets, serviceAccounts } from '../../../common/client/resources.ts'
import { eventually } from '../../../common/client/testing/eventually.ts'
import type { TestControllers } from '../testing/running-controllers.ts'
import { startTestControllers } from '../testing/running-controllers.ts'

let cluster: TestControllers
beforeEach(async () => {
  cluster = await startTestControllers(['serviceaccount-token-controller'])
})
afterEach(() => cluster.stop())

const tokenSecret = (annotations: Record<string, string> = {}): Secret => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name: 'robot-token',
    namespace: 'default',
    annotations: { 'kubernetes.io/service-account.name': 'robot', ...annotations },
  },
  type: 'kubernetes.io/service-account-token',
})
const makeAccount = () =>
  cluster.client.create(serviceAccounts, {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'robot', namespace: 'default' },
  })
const data = async (): Promise<Record<string, string>> => {
  const secret = await cluster.client.get(secrets, 'robot-token', 'default')
  return Object.fromEntries(
    Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  )
}
const review = async (token: string): Promise<TokenReview['status']> => {
  const answer = await cluster.plane.transport.request<TokenReview>({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } },
  })
  return answer.status
}
const gone = () =>
  eventually(async () => {
    expect((await cluster.client.list(secrets, { namespace: 'default' })).items).toEqual([])
  })

it('fills the secret with a token that the server accepts until account or secret are gone', async () => {
  const account = await makeAccount()
  await cluster.client.create(secrets, tokenSecret())
  const { token = '' } = await eventually(async () => {
    const found = await data()
    expect(found).toEqual({ token: expect.any(String) as string, 'ca.crt': 'the CA', namespace: 'default' })
    return found
  })
  expect(await review(token)).toMatchObject({
    authenticated: true,
    user: { username: 'system:serviceaccount:default:robot', uid: account.metadata.uid },
  })
  await cluster.client.delete(serviceAccounts, 'robot', 'default')
  await gone()
  expect((await review(token))?.authenticated).not.toBe(true)
})

it('repairs what was taken out, and keeps the token', async () => {
  await makeAccount()
  await cluster.client.create(secrets, tokenSecret())
  const before = await eventually(async () => {
    const found = await data()
    expect(found['token']).toBeDefined()
    return found
  })
  await cluster.client.patch(secrets, { name: 'robot-token', namespace: 'default' }, 'application/merge-patch+json', {
    data: { 'ca.crt': null },
  })
  await eventually(async () => {
    expect(await data()).toEqual(before)
  })
})

it('removes a secret without its account, or of an earlier one of that name', async () => {
  await cluster.client.create(secrets, tokenSecret())
  await gone()
  await makeAccount()
  await cluster.client.create(secrets, tokenSecret({ 'kubernetes.io/service-account.uid': 'another' }))
  await gone()
})
