import { expect, it } from 'vitest'
import { parseFeatureGates } from './feature-gates.ts'

it('tells which gates are set to something else than their default', () => {
  expect(
    parseFeatureGates('WatchList=true,CBORServingAndStorage=true, kube:GangScheduling=1,SidecarContainers=true'),
  ).toEqual(['CBORServingAndStorage=true', 'GangScheduling=true'])
  expect(parseFeatureGates('')).toEqual([])
})

it.each([
  ['Sometimes=true', 'unrecognized feature gate: Sometimes'],
  ['WatchList', 'missing bool value for WatchList'],
  ['WatchList=yes', 'invalid value of WatchList=yes, err: strconv.ParseBool: parsing "yes": invalid syntax'],
  ['SidecarContainers=false', 'cannot set feature gate SidecarContainers to false, feature is locked to true'],
])("refuses %s in upstream's words", (text, message) => {
  expect(() => parseFeatureGates(text)).toThrow(message)
})
