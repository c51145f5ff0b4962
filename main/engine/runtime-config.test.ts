import { describe, expect, it } from 'vitest'
import { parseRuntimeConfig, servedResources } from './runtime-config.ts'

const groups = new Set(['', 'apps', 'batch', 'resource.k8s.io'])
const serves = (config: string, group: string, version: string, plural = 'things'): boolean =>
  servedResources(parseRuntimeConfig(config), groups)({ group, version, plural })

describe('--runtime-config', () => {
  it.each<[string, string, string, boolean]>([
    ['', 'apps', 'v1', true],
    ['apps/v1=false', 'apps', 'v1', false],
    ['apps/v1=false', 'batch', 'v1', true],
    ['apps/v1/things=false', 'apps', 'v1', false],
    ['apps/v1/others=false', 'apps', 'v1', true],
    ['v1=false', '', 'v1', false],
    ['api/all=false,apps/v1', 'apps', 'v1', true],
    ['api/all=false,apps/v1', 'batch', 'v1', false],
    ['api/beta=false', 'batch', 'v1beta1', false],
    ['api/beta=false', 'batch', 'v1', true],
    ['api/ga=true,api/all=false', 'batch', 'v1', true],
  ])('%s: %s/%s is served: %s', (config, group, version, served) => {
    expect(serves(config, group, version)).toBe(served)
  })

  it.each([
    ['api/all=false', 'invalid runtime-config with only api/all=false'],
    ['nothing/v1=true,apps/v1', 'unknown api groups nothing/v1'],
    ['apps=true', 'runtime-config invalid key apps'],
    ['api/beta=perhaps', 'invalid value api/beta=perhaps'],
    ['apps/v1=perhaps', 'invalid value of apps/v1: perhaps, err: strconv.ParseBool: parsing "perhaps": invalid syntax'],
  ])("refuses %s in upstream's words", (config, message) => {
    expect(() => serves(config, 'apps', 'v1')).toThrow(message)
  })
})
