// ValidatingWebhookConfiguration and MutatingWebhookConfiguration: programs outside that are asked before a write.
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { checkWebhooks, setWebhookDefaults } from './webhooks.ts'

const webhooksDescription = 'Webhooks indicates the number of webhooks registered in this configuration'

export const validatingWebhookConfiguration = defineKind(
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
  {
    allowUnconditionalUpdate: false,
    categories: ['api-extensions'],
    tracksGeneration: true,
    setDefaults: (object) => {
      for (const webhook of object.webhooks ?? []) setWebhookDefaults(webhook)
    },
    validate: ({ webhooks = [] }, context, old) =>
      checkWebhooks(webhooks, old === undefined ? undefined : (old.webhooks ?? []), context),
    columns: [
      nameColumn,
      {
        name: 'Webhooks',
        type: 'integer',
        description: webhooksDescription,
        cell: ({ webhooks }) => webhooks?.length ?? 0,
      },
      ageColumn,
    ],
  },
)

export const mutatingWebhookConfiguration = defineKind(
  'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations',
  {
    allowUnconditionalUpdate: false,
    categories: ['api-extensions'],
    tracksGeneration: true,
    setDefaults: (object) => {
      for (const webhook of object.webhooks ?? []) {
        setWebhookDefaults(webhook)
        webhook.reinvocationPolicy ??= 'Never'
      }
    },
    validate: ({ webhooks = [] }, context, old) =>
      checkWebhooks(webhooks, old === undefined ? undefined : (old.webhooks ?? []), context),
    columns: [
      nameColumn,
      {
        name: 'Webhooks',
        type: 'integer',
        description: webhooksDescription,
        cell: ({ webhooks }) => webhooks?.length ?? 0,
      },
      ageColumn,
    ],
  },
)
