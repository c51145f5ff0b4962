// What the window knows about its road to the engine, learned from every answer and from a probe while it is gone.
import { readonly, ref, shallowRef } from 'vue'

export type ConnectionState = 'connecting' | 'connected' | 'reconnecting' | 'signed-out'

const state = ref<ConnectionState>('connecting')
const cause = ref('')
const since = ref(Date.now())
const version = shallowRef<string>()
let probe: ReturnType<typeof setTimeout> | undefined

export const connection = { state: readonly(state), cause: readonly(cause), since: readonly(since), version }

const listeners = new Set<() => void>()
/** Called each time the engine answers again after it was gone. */
export function onReconnect(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

function move(next: ConnectionState, why: string): void {
  cause.value = why
  if (state.value === next) return
  const was = state.value
  state.value = next
  since.value = Date.now()
  if (next === 'connected' && was === 'reconnecting') for (const listener of listeners) listener()
}

/** Every answer's HTTP code; 0 when there was none. */
export function noteAnswer(code: number): void {
  if (code === 0) {
    if (state.value !== 'signed-out')
      move('reconnecting', 'The engine does not answer on this address. It may be restarting, or it was stopped.')
    startProbe()
  } else if (code === 401) {
    move('signed-out', 'This browser has no session with the engine, or the session has ended.')
  } else if (code === 503 || code === 502) {
    move('reconnecting', `The engine answers, but its API is not ready yet (HTTP ${String(code)}).`)
    startProbe()
  } else {
    move('connected', '')
  }
}

/** Asks once whether the engine is there; used at start and each second while it is not. */
export async function probeNow(): Promise<void> {
  try {
    const response = await fetch('version', {
      cache: 'no-store',
      credentials: 'same-origin',
      signal: AbortSignal.timeout(4000),
    })
    if (response.ok) {
      const info = (await response.json()) as { gitVersion?: string }
      version.value = info.gitVersion
      // /version may be public: only a real object read tells whether the session holds.
      const signedIn = await fetch('api/v1/namespaces/default', {
        cache: 'no-store',
        signal: AbortSignal.timeout(4000),
      })
      noteAnswer(signedIn.status)
    } else {
      noteAnswer(response.status)
    }
  } catch {
    noteAnswer(0)
  }
}

function startProbe(): void {
  if (probe !== undefined) return
  probe = setTimeout(() => {
    probe = undefined
    void probeNow()
  }, 1000)
}
