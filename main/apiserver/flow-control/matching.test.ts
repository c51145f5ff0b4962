import { describe, expect, it } from 'vitest'
import { parseRequestInfo } from '../chain/request-info.ts'
import { rulesMatch, rulesMatchEverything, subjectMatches } from './matching.ts'

const user = { name: 'system:serviceaccount:shop:cart', groups: ['system:serviceaccounts', 'system:authenticated'] }
const account = (namespace: string, name: string) => ({ kind: 'ServiceAccount', serviceAccount: { namespace, name } })

it.each([
  [{ kind: 'User', user: { name: '*' } }, true],
  [{ kind: 'User', user: { name: user.name } }, true],
  [{ kind: 'User', user: { name: 'cart' } }, false],
  [{ kind: 'Group', group: { name: '*' } }, true],
  [{ kind: 'Group', group: { name: 'system:serviceaccounts' } }, true],
  [{ kind: 'Group', group: { name: 'other' } }, false],
  [account('shop', 'cart'), true],
  [account('shop', '*'), true],
  [account('kube-system', '*'), false],
  [account('shop', 'car'), false],
])('subject %j matches: %j', (subject, matches) => {
  expect(subjectMatches(subject, user)).toBe(matches)
})

describe('rules', () => {
  const subjects = [{ kind: 'Group', group: { name: '*' } }]
  const pods = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'], namespaces: ['shop'] }
  const paths = { verbs: ['get'], nonResourceURLs: ['/healthz', '/openapi/*'] }
  const rules = [{ subjects, resourceRules: [pods], nonResourceRules: [paths] }]

  it.each([
    ['GET', '/api/v1/namespaces/shop/pods', true],
    ['GET', '/api/v1/namespaces/shop/pods/a/log', true],
    ['GET', '/api/v1/namespaces/shop/pods/a/status', false],
    ['DELETE', '/api/v1/namespaces/shop/pods/a', false],
    ['GET', '/api/v1/namespaces/other/pods', false],
    ['GET', '/api/v1/pods', false],
    ['GET', '/healthz', true],
    ['GET', '/healthz/ping', false],
    ['GET', '/openapi/v2', true],
  ])('%s %s: %j', (method, path, matches) => {
    expect(rulesMatch(rules, parseRequestInfo(method, path, false))).toBe(matches)
  })

  it('know when they leave nothing out', () => {
    const all = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }
    const everywhere = { verbs: ['*'], nonResourceURLs: ['*'] }
    expect(rulesMatchEverything([{ subjects, resourceRules: [all], nonResourceRules: [everywhere] }])).toBe(true)
    expect(rulesMatchEverything([{ subjects, resourceRules: [all] }])).toBe(false)
    const namespaced = { ...all, clusterScope: false }
    expect(rulesMatchEverything([{ subjects, resourceRules: [namespaced], nonResourceRules: [everywhere] }])).toBe(
      false,
    )
  })
})
