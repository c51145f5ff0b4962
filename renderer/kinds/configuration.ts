import IconConfig from '~icons/lucide/sliders-horizontal'
import IconSecret from '~icons/lucide/key-round'
import IconAccount from '~icons/lucide/id-card'
import type { ConfigMap, Secret, ServiceAccount } from '../../common/api/generated/types.ts'
import { resources } from '../api/index.ts'
import { ageColumn, defineKindView, nameColumn, namespaceColumn } from './kind-view.ts'

const keysOf = (...maps: (Record<string, unknown> | undefined)[]): string[] =>
  maps.flatMap((map) => Object.keys(map ?? {})).sort()

export const configMaps = defineKindView<ConfigMap>({
  resource: resources.configMaps,
  title: 'ConfigMaps',
  singular: 'ConfigMap',
  about: 'Settings as keys and values, given to containers as variables or files.',
  icon: IconConfig,
  group: 'Configuration',
  columns: [
    nameColumn(),
    namespaceColumn(),
    { id: 'count', title: 'Keys', track: '48px', align: 'end', text: (one) => keysOf(one.data, one.binaryData).length },
    {
      id: 'keys',
      title: 'Names of keys',
      track: 'minmax(120px, 3fr)',
      mono: true,
      text: (one) => keysOf(one.data, one.binaryData).join(', '),
    },
    ageColumn(),
  ],
})

export const secrets = defineKindView<Secret>({
  resource: resources.secrets,
  title: 'Secrets',
  singular: 'Secret',
  about: 'Like a ConfigMap, for what should not be shown: passwords, tokens, certificates.',
  icon: IconSecret,
  group: 'Configuration',
  columns: [
    nameColumn(),
    namespaceColumn(),
    { id: 'type', title: 'Type', track: 'minmax(120px, 2fr)', mono: true, text: (one) => one.type ?? 'Opaque' },
    { id: 'count', title: 'Keys', track: '48px', align: 'end', text: (one) => keysOf(one.data).length },
    {
      id: 'keys',
      title: 'Names of keys',
      track: 'minmax(120px, 2fr)',
      mono: true,
      minTableWidth: 700,
      text: (one) => keysOf(one.data).join(', '),
    },
    ageColumn(),
  ],
  summary: (one) => [{ term: 'Type', text: one.type ?? 'Opaque', mono: true }],
})

export const serviceAccounts = defineKindView<ServiceAccount>({
  resource: resources.serviceAccounts,
  title: 'ServiceAccounts',
  singular: 'ServiceAccount',
  about: 'The name a pod acts under when it talks to the API.',
  icon: IconAccount,
  group: 'Configuration',
  columns: [nameColumn(), namespaceColumn(), ageColumn()],
})
