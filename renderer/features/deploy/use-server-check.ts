// Asks the server, by dry-run, what it thinks of the form while it is being filled in: its complaints by field, and what fits no field.
import { computed, ref, watch, type ComputedRef, type Ref } from 'vue'
import { api, resources } from '../../api/index.ts'
import { fieldErrors, plainComplaint } from '../../explain/error-words.ts'
import {
  deploymentOf,
  fieldOfDeploymentPath,
  fieldOfServicePath,
  localErrors,
  manifestOf,
  serviceOf,
  type DeployForm,
  type FieldId,
} from './deploy-form.ts'

const checkDelayMs = 350

export interface ServerCheck {
  /** idle: the form is not complete enough to ask. */
  state: Ref<'idle' | 'checking' | 'ok' | 'wrong'>
  errors: Ref<Map<FieldId, string>>
  otherError: Ref<unknown>
  complete: ComputedRef<boolean>
  checkNow: () => Promise<void>
}

export function useServerCheck(form: DeployForm): ServerCheck {
  const state: ServerCheck['state'] = ref('idle')
  const errors = ref(new Map<FieldId, string>())
  const otherError = ref<unknown>()
  const complete = computed(() => localErrors(form).size === 0)
  let timer: ReturnType<typeof setTimeout> | undefined
  let run: AbortController | undefined

  /** Deployment and Service are checked together, so that all complaints show at once. */
  async function checkNow(): Promise<void> {
    clearTimeout(timer)
    run?.abort()
    const current = new AbortController()
    run = current
    const options = { dryRun: true, signal: current.signal }
    const service = serviceOf(form)
    const [first, second] = await Promise.allSettled([
      api.create(resources.deployments, deploymentOf(form), options),
      service === undefined ? undefined : api.create(resources.services, service, options),
    ])
    if (current.signal.aborted) return
    const found = new Map<FieldId, string>()
    let other: unknown
    for (const [result, place] of [
      [first, fieldOfDeploymentPath],
      [second, fieldOfServicePath],
    ] as const) {
      if (result.status === 'fulfilled') continue
      let shown = false
      for (const [path, message] of fieldErrors(result.reason)) {
        const field = place(path)
        if (field === undefined) continue
        shown = true
        if (!found.has(field)) found.set(field, plainComplaint(message))
      }
      if (shown) continue
      if ((result.reason as { reason?: string }).reason !== 'AlreadyExists') other = result.reason
      else {
        const kind = place === fieldOfServicePath ? 'Service' : 'Deployment'
        found.set('name', `There is already a ${kind} of this name in ${form.namespace}.`)
      }
    }
    errors.value = found
    otherError.value = other
    state.value = found.size > 0 || other !== undefined ? 'wrong' : 'ok'
  }

  watch(
    () => manifestOf(form),
    () => {
      clearTimeout(timer)
      state.value = complete.value ? 'checking' : 'idle'
      if (complete.value) timer = setTimeout(() => void checkNow(), checkDelayMs)
      else {
        errors.value = new Map()
        otherError.value = undefined
      }
    },
    { immediate: true },
  )
  return { state, errors, otherError, complete, checkNow }
}
