// What may change on a pod once it exists: nearly nothing of its spec.
import type {
  Affinity,
  Container,
  NodeAffinity,
  Pod,
  PodSpec,
  Toleration,
} from '../../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { describeChange } from '../../describe-change.ts'
import { semanticEqual } from '../../equality.ts'
import { cloneJson } from '../../strategy.ts'

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

export function checkPodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = []
  checkAnnotationUpdate(errors, pod, old)
  const { spec, oldSpec } = { spec: pod.spec ?? { containers: [] }, oldSpec: old.spec ?? { containers: [] } }
  for (const field of ['containers', 'initContainers'] as const) {
    if (!checkSameContainers(errors, `spec.${field}`, spec[field] ?? [], oldSpec[field] ?? [])) return errors
  }
  if (!checkDeadline(errors, spec.activeDeadlineSeconds, oldSpec.activeDeadlineSeconds)) return errors
  if (!onlyAdds(spec.tolerations ?? [], oldSpec.tolerations ?? [])) {
    errors.push(
      forbiddenField('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
    )
  }
  const gates = new Set((oldSpec.schedulingGates ?? []).map((gate) => gate.name))
  spec.schedulingGates?.forEach(({ name }, index) => {
    if (!gates.has(name)) {
      const detail = `only deletion is allowed, but found new scheduling gate '${name}'`
      errors.push(forbiddenField(`spec.schedulingGates[${String(index)}].name`, detail))
    }
  })
  if (semanticEqual(spec, oldSpec)) return errors
  const rest = withoutUpdatable(errors, spec, oldSpec)
  if (!semanticEqual(rest, oldSpec)) {
    errors.push(
      forbiddenField(
        'spec',
        `pod updates may not change fields other than ${updatable}\n${describeChange(oldSpec, rest)}`,
      ),
    )
  }
  return errors
}

/** The new spec with everything that may change put back to what it was. */
function withoutUpdatable(errors: FieldError[], spec: PodSpec, old: PodSpec): PodSpec {
  const rest = cloneJson(spec)
  const restoreImages = (containers: Container[] | undefined, before: Container[] | undefined): void => {
    containers?.forEach((container, index) => {
      container.image = before?.[index]?.image
    })
  }
  restoreImages(rest.containers, old.containers)
  restoreImages(rest.initContainers, old.initContainers)
  rest.activeDeadlineSeconds = old.activeDeadlineSeconds
  rest.schedulingGates = old.schedulingGates
  rest.tolerations = old.tolerations
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && rest.terminationGracePeriodSeconds === 1) {
    rest.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds
  }
  if ((old.schedulingGates ?? []).length > 0) restoreGatedPlacement(errors, rest, old)
  return rest
}

/** Until its gates are gone a pod may be narrowed to fewer nodes, never widened. */
function restoreGatedPlacement(errors: FieldError[], rest: PodSpec, old: PodSpec): void {
  const kept = Object.entries(old.nodeSelector ?? {}).every(([key, value]) => rest.nodeSelector?.[key] === value)
  if (!kept) {
    const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
    errors.push(invalidValue('spec.nodeSelector', rest.nodeSelector, detail))
  }
  rest.nodeSelector = old.nodeSelector
  const before = old.affinity?.nodeAffinity
  if (semanticEqual(rest.affinity?.nodeAffinity, before)) return
  checkNodeAffinityNarrowed(errors, rest.affinity?.nodeAffinity, before)
  const affinity: Affinity = { ...rest.affinity, nodeAffinity: before }
  if (before === undefined) delete affinity.nodeAffinity
  if (Object.keys(affinity).length > 0 || old.affinity !== undefined) rest.affinity = affinity
  else delete rest.affinity
}

function checkNodeAffinityNarrowed(
  errors: FieldError[],
  affinity: NodeAffinity | undefined,
  old: NodeAffinity | undefined,
): void {
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  const oldTerms = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  if (oldTerms.length === 0) return
  if (oldTerms.length !== terms.length) {
    errors.push(invalidValue(path, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'))
    return
  }
  terms.forEach((term, index) => {
    const oldTerm = oldTerms[index] ?? {}
    const starts = (field: 'matchExpressions' | 'matchFields'): boolean =>
      semanticEqual((term[field] ?? []).slice(0, (oldTerm[field] ?? []).length), oldTerm[field] ?? [])
    const wasEmpty = (oldTerm.matchExpressions ?? []).length === 0 && (oldTerm.matchFields ?? []).length === 0
    const isEmpty = (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0
    if ((wasEmpty && !isEmpty) || !starts('matchExpressions') || !starts('matchFields')) {
      errors.push(
        invalidValue(`${path}[${String(index)}]`, term, 'only additions are allowed (no mutations or deletions)'),
      )
    }
  })
}

/** False when the lists cannot be compared one by one. */
function checkSameContainers(
  errors: FieldError[],
  path: string,
  containers: readonly Container[],
  old: readonly Container[],
): boolean {
  if (containers.length !== old.length) {
    errors.push(forbiddenField(path, 'pod updates may not add or remove containers'))
    return false
  }
  containers.forEach(({ image = '' }, index) => {
    const at = `${path}[${String(index)}].image`
    if (image === '') errors.push(required(at))
    if (image.trim() !== image) errors.push(invalidValue(at, image, 'must not have leading or trailing whitespace'))
  })
  return true
}

/** A deadline may be set, and brought forward. */
function checkDeadline(errors: FieldError[], deadline: number | undefined, old: number | undefined): boolean {
  const path = 'spec.activeDeadlineSeconds'
  if (deadline === undefined) {
    if (old !== undefined) errors.push(invalidValue(path, null, 'must not update from a positive integer to nil value'))
    return true
  }
  if (deadline < 0 || deadline > 2_147_483_647) {
    errors.push(invalidValue(path, deadline, 'must be between 0 and 2147483647, inclusive'))
    return false
  }
  if (old !== undefined && old < deadline) {
    errors.push(invalidValue(path, deadline, 'must be less than or equal to previous value'))
    return false
  }
  return true
}

const onlyAdds = (tolerations: readonly Toleration[], old: readonly Toleration[]): boolean =>
  old.every((before) =>
    tolerations.some((toleration) =>
      semanticEqual({ ...before, tolerationSeconds: toleration.tolerationSeconds }, toleration),
    ),
  )

function checkAnnotationUpdate(errors: FieldError[], pod: Pod, old: Pod): void {
  const key = 'kubernetes.io/config.mirror'
  const [now, before] = [pod.metadata.annotations?.[key], old.metadata.annotations?.[key]]
  if (now === before) return
  const detail =
    before === undefined ? 'may not add mirror pod annotation' : 'may not remove or update mirror pod annotation'
  errors.push(forbiddenField(`metadata.annotations[${key}]`, detail))
}
