// RuntimeClass: which handler of the container runtime runs a pod.
import type { FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { deprecatedNodeLabels } from '../core/node-labels.ts'
import { checkResources } from '../core/pod-spec/resources.ts'
import { checkTolerations } from '../core/pod-spec/scheduling.ts'
import { defineKind } from '../kind.ts'
import { checkLabels, checkName, isDnsLabel } from '../validation/names.ts'
import { checkImmutable } from '../validation/values.ts'

export const runtimeClass = defineKind('node.k8s.io/v1/runtimeclasses', {
  allowUnconditionalUpdate: false,
  validate: ({ handler = '', overhead, scheduling }) => {
    const errors: FieldError[] = []
    checkName(errors, 'handler', handler, isDnsLabel)
    if (overhead?.podFixed !== undefined)
      checkResources(errors, 'overhead.podFixed', { limits: overhead.podFixed }, { claims: new Set() })
    checkLabels(errors, 'scheduling.nodeSelector', scheduling?.nodeSelector)
    checkTolerations(errors, 'scheduling.tolerations', scheduling?.tolerations ?? [])
    return errors
  },
  update: {
    validate: (object, old) => {
      const errors: FieldError[] = []
      checkImmutable(errors, 'handler', object.handler, old.handler)
      return errors
    },
  },
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
      const message = deprecatedNodeLabels[key]
      return message === undefined ? [] : [`scheduling.nodeSelector: ${message}`]
    }),
  columns: [nameColumn, { name: 'Handler', type: 'string', cell: ({ handler }) => handler ?? '' }, ageColumn],
})
