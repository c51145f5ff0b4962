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
  if (next === 'connected' && was !== 'connecting') for (const listener of listeners) listener()
}

const noSession = 'This browser has no session with the engine, or the session has ended.'

/** Every answer's HTTP code; 0 when there was none. */
export function noteAnswer(code: number): void {
  if (code === 0) {
    if (state.value !== 'signed-out')
      move('reconnecting', 'The engine does not answer on this address. It may be restarting, or it was stopped.')
    startProbe()
  } else if (code === 401) {
    move('signed-out', noSession)
  } else if (code === 403) {
    // Nobody in particular is also answered with 403: only the probe can tell that from a missing right.
    if (state.value !== 'signed-out') startProbe()
  } else if (code === 503 || code === 502) {
    move('reconnecting', `The engine answers, but its API is not ready yet (HTTP ${String(code)}).`)
    startProbe()
  } else {
    move('connected', '')
  }
}

/** Asks once who the engine takes this browser for; at start, each second while it is gone, and after a 403. */
export async function probeNow(): Promise<void> {
  try {
    // An object that everyone signed in may read.
    const answer = await fetch('api/v1/namespaces/default', {
      cache: 'no-store',
      signal: AbortSignal.timeout(probeTimeoutMs),
    })
    if (answer.status === 403 && (await answer.text()).includes('system:anonymous')) move('signed-out', noSession)
    else if (answer.status === 403 || answer.status === 404) move('connected', '')
    else noteAnswer(answer.status)
    if (state.value === 'connected') await readVersion()
  } catch {
    noteAnswer(0)
  }
}

async function readVersion(): Promise<void> {
  const answer = await fetch('version', { cache: 'no-store', signal: AbortSignal.timeout(probeTimeoutMs) })
  if (answer.ok) version.value = ((await answer.json()) as { gitVersion?: string }).gitVersion
}

const probeTimeoutMs = 4000
const probeEveryMs = 1000

function startProbe(): void {
  probe ??= setTimeout(() => {
    probe = undefined
    void probeNow()
  }, probeEveryMs)
}
