// Keys that work everywhere. Letters only while no field or terminal has the focus.
import { onMounted, onUnmounted } from 'vue'
import { useRouter } from 'vue-router'
import { useOverlays } from '../stores/overlays.ts'
import { useTerminals } from '../stores/terminals.ts'
import { screens } from './screens.ts'

export interface Shortcut {
  keys: string
  does: string
}

export const shortcutHelp: readonly { title: string; shortcuts: readonly Shortcut[] }[] = [
  {
    title: 'Anywhere',
    shortcuts: [
      { keys: 'Ctrl K', does: 'Find an object or an action' },
      { keys: '?', does: 'Show this list' },
      { keys: 'Ctrl `', does: 'Show or hide terminals' },
      { keys: '/', does: 'Jump to the filter of a list' },
      ...screens.map((screen) => ({ keys: `g ${screen.key}`, does: screen.title })),
    ],
  },
  {
    title: 'Lists',
    shortcuts: [
      { keys: '↑ ↓', does: 'Move between rows' },
      { keys: 'Enter', does: 'Open the row' },
      { keys: 'Home End', does: 'First and last row' },
    ],
  },
  {
    title: 'Terminals',
    shortcuts: [
      { keys: 'Ctrl Shift C', does: 'Copy the selection' },
      { keys: 'Ctrl Shift V', does: 'Paste' },
      { keys: 'Ctrl Shift F', does: 'Search the scrollback' },
      { keys: 'Ctrl Shift ← →', does: 'Previous and next tab' },
      { keys: 'Ctrl Shift W', does: 'Close the tab' },
    ],
  },
]

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.closest('input, textarea, select, .xterm, .cm-editor') !== null)

export function useShortcuts(): void {
  const router = useRouter()
  const overlays = useOverlays()
  const terminals = useTerminals()
  let leaderAt = 0
  const leaderMs = 1200

  function onKey(event: KeyboardEvent): void {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      overlays.palette = !overlays.palette
      return
    }
    if (event.ctrlKey && event.key === '`') {
      event.preventDefault()
      if (terminals.tabs.length === 0) terminals.add({ type: 'host' })
      else terminals.open = !terminals.open
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
    if (event.key === '?') overlays.help = true
    else if (event.key === '/') focusFilter(event)
    else if (event.key === 'g') leaderAt = event.timeStamp
    else if (event.timeStamp - leaderAt < leaderMs) {
      leaderAt = 0
      const screen = screens.find((one) => one.key === event.key)
      if (screen !== undefined) void router.push(screen.path)
    }
  }
  onMounted(() => {
    window.addEventListener('keydown', onKey)
  })
  onUnmounted(() => {
    window.removeEventListener('keydown', onKey)
  })
}

function focusFilter(event: KeyboardEvent): void {
  const filter = document.querySelector<HTMLInputElement>('[data-filter]')
  if (filter === null) return
  event.preventDefault()
  filter.focus()
  filter.select()
}
