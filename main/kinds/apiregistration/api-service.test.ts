import { describe, expect, it } from 'vitest'
import { runKindContract } from '../kind-contract.ts'
import { createObject, testNow } from '../testing/lifecycle.ts'
import { apiService } from './api-service.ts'

const spec = { group: 'metrics.example.com', version: 'v1', groupPriorityMinimum: 100, versionPriority: 100 }
const service = { namespace: 'default', name: 'metrics' }
const named = { name: 'v1.metrics.example.com' }

runKindContract(apiService, {
  valid: [
    { metadata: named, spec },
    { metadata: { name: 'v1.' }, spec: { ...spec, group: '' } },
    { metadata: named, spec: { ...spec, service, insecureSkipTLSVerify: true } },
  ],
})

describe('APIService', () => {
  it.each<[Record<string, unknown>, string[]]>([
    [
      { version: 'v2' },
      [
        'metadata.name: Invalid value: "v1.metrics.example.com": must be `spec.version+"."+spec.group`: "v2.metrics.example.com"',
      ],
    ],
    [
      { groupPriorityMinimum: 0, versionPriority: 1001 },
      [
        'spec.groupPriorityMinimum: Invalid value: 0: must be positive and less than 20000',
        'spec.versionPriority: Invalid value: 1001: must be positive and less than 1000',
      ],
    ],
    [{ caBundle: 'eA==' }, ['spec.caBundle: Invalid value: "1 bytes": local APIServices may not have a caBundle']],
    [{ service: {} }, ['spec.service.namespace: Required value', 'spec.service.name: Required value']],
    [
      { service, insecureSkipTLSVerify: true, caBundle: 'eA==' },
      ['spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present'],
    ],
  ])('with %j is refused', (changes, errors) => {
    expect(createObject(apiService, { metadata: named, spec: { ...spec, ...changes } }).errors).toEqual(errors)
  })

  it('of this server is available', () => {
    const cells = (manifest: object): unknown[] => {
      const { object } = createObject(apiService, { metadata: named, spec: { ...spec, ...manifest } })
      return (apiService.columns ?? []).map((column) => column.cell(object, new Date(testNow)))
    }
    expect(cells({})).toEqual(['v1.metrics.example.com', 'Local', 'True', '0s'])
    expect(cells({ service })).toEqual(['v1.metrics.example.com', 'default/metrics', 'Unknown', '0s'])
  })
})
