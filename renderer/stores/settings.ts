// What the person chose for this window: kept across reloads, shared by screens.
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

const key = 'orrery.settings'

export const useSettings = defineStore('settings', () => {
  /** "" means all namespaces. */
  const namespace = ref('')
  const panelHeight = ref(280)
  const stored = sessionStorage.getItem(key)
  if (stored !== null) {
    try {
      const value = JSON.parse(stored) as { namespace?: unknown; panelHeight?: unknown }
      if (typeof value.namespace === 'string') namespace.value = value.namespace
      if (typeof value.panelHeight === 'number') panelHeight.value = value.panelHeight
    } catch {
      sessionStorage.removeItem(key)
    }
  }
  watch([namespace, panelHeight], () => {
    sessionStorage.setItem(key, JSON.stringify({ namespace: namespace.value, panelHeight: panelHeight.value }))
  })
  return { namespace, panelHeight }
})
