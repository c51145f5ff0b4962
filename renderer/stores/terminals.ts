// The tabs of the terminal panel. The list survives a reload; host shells also keep their session in the engine.
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

export type TerminalTarget =
  | { type: 'pod'; namespace: string; pod: string; container: string }
  | { type: 'node'; machine: string }
  | { type: 'console'; machine: string }
  | { type: 'host' }

export interface TerminalTab {
  id: string
  target: TerminalTarget
}

const key = 'orrery.terminals'

interface Stored {
  tabs: TerminalTab[]
  active: string
  open: boolean
}

export const useTerminals = defineStore('terminals', () => {
  const stored = read()
  const tabs = ref<TerminalTab[]>(stored.tabs)
  const active = ref(stored.active)
  const open = ref(stored.open)
  watch(
    [tabs, active, open],
    () => {
      const value: Stored = { tabs: tabs.value, active: active.value, open: open.value }
      sessionStorage.setItem(key, JSON.stringify(value))
    },
    { deep: true },
  )

  function add(target: TerminalTarget): void {
    // One console per machine is enough: it is the same wire.
    const same =
      target.type === 'console'
        ? tabs.value.find((tab) => tab.target.type === 'console' && tab.target.machine === target.machine)
        : undefined
    const tab = same ?? { id: crypto.randomUUID(), target }
    if (same === undefined) tabs.value.push(tab)
    active.value = tab.id
    open.value = true
  }
  function remove(id: string): void {
    const index = tabs.value.findIndex((tab) => tab.id === id)
    if (index < 0) return
    tabs.value.splice(index, 1)
    if (active.value === id) active.value = (tabs.value[index] ?? tabs.value[index - 1])?.id ?? ''
  }
  function step(by: 1 | -1): void {
    const index = tabs.value.findIndex((tab) => tab.id === active.value)
    const next = tabs.value[(index + by + tabs.value.length) % tabs.value.length]
    if (next !== undefined) active.value = next.id
  }
  return { tabs, active, open, add, remove, step }
})

export function terminalTitle(target: TerminalTarget): string {
  switch (target.type) {
    case 'pod':
      return `${target.pod} · ${target.container}`
    case 'node':
      return `${target.machine} shell`
    case 'console':
      return `${target.machine} console`
    case 'host':
      return 'This computer'
  }
}

function read(): Stored {
  try {
    const value = JSON.parse(sessionStorage.getItem(key) ?? '{}') as Partial<Stored>
    return { tabs: Array.isArray(value.tabs) ? value.tabs : [], active: value.active ?? '', open: value.open ?? false }
  } catch {
    return { tabs: [], active: '', open: false }
  }
}
