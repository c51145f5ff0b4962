// Light, dark or as the system: one attribute on the root element; the tokens do the rest.
import { readonly, ref } from 'vue'

export type Theme = 'system' | 'light' | 'dark'

const storageKey = 'orrery.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const choice = ref<Theme>(read())
const dark = ref(isDark())

export const theme = { choice: readonly(choice), dark: readonly(dark) }

function read(): Theme {
  const stored = localStorage.getItem(storageKey)
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}

function isDark(): boolean {
  return choice.value === 'dark' || (choice.value === 'system' && system.matches)
}

export function applyTheme(next: Theme = choice.value): void {
  choice.value = next
  if (next === 'system') {
    localStorage.removeItem(storageKey)
    delete document.documentElement.dataset['theme']
  } else {
    localStorage.setItem(storageKey, next)
    document.documentElement.dataset['theme'] = next
  }
  dark.value = isDark()
}

system.addEventListener('change', () => {
  dark.value = isDark()
})
