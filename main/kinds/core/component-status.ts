// ComponentStatus: how the parts of the control plane are. Deprecated, never stored; answered by the API server.
import type { ComponentCondition, ComponentStatus } from '../../../common/api/generated/types.ts'
import { nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'

export const componentStatus = defineKind('v1/componentstatuses', {
  shortNames: ['cs'],
  deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    nameColumn,
    {
      name: 'Status',
      type: 'string',
      description: 'Status of the component conditions',
      cell: (object) => {
        const healthy = health(object)
        return healthy === undefined ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy'
      },
    },
    {
      name: 'Message',
      type: 'string',
      description: 'Message of the component conditions',
      cell: (object) => health(object)?.message ?? '',
    },
    {
      name: 'Error',
      type: 'string',
      description: 'Error of the component conditions',
      cell: (object) => health(object)?.error ?? '',
    },
  ],
})

const health = ({ conditions }: ComponentStatus): ComponentCondition | undefined =>
  conditions?.find((condition) => condition.type === 'Healthy')
