// PodTemplate: a stored template; nothing creates pods from it by itself.
import type { FieldError } from '../../../common/machinery/field-error.ts'
import { formatLabels, nameColumn } from '../columns.ts'
import { podTemplateWarnings } from './pod-spec/warnings.ts'
import { defineKind } from '../kind.ts'
import { setPodTemplateDefaults } from './pod-spec/defaults.ts'
import { checkPodTemplate } from './pod-spec/validation.ts'

export const podTemplate = defineKind('v1/podtemplates', {
  returnsDeletedObject: true,
  tracksGeneration: true,
  setDefaults: ({ template }) => {
    if (template !== undefined) setPodTemplateDefaults(template)
  },
  validate: ({ template }) => {
    const errors: FieldError[] = []
    checkPodTemplate(errors, 'template', template)
    return errors
  },
  warnings: (object, old) => podTemplateWarnings('template', object.template, { object, old }),
  columns: [
    nameColumn,
    {
      name: 'Containers',
      type: 'string',
      cell: ({ template }) => (template?.spec?.containers ?? []).map((container) => container.name).join(','),
    },
    {
      name: 'Images',
      type: 'string',
      cell: ({ template }) => (template?.spec?.containers ?? []).map((container) => container.image ?? '').join(','),
    },
    { name: 'Pod Labels', type: 'string', cell: ({ template }) => formatLabels(template?.metadata?.labels) },
  ],
})
