/** How something is doing. Every tone has its own shape and word, so colour is never the only sign. */
export type Tone = 'ok' | 'busy' | 'warn' | 'bad' | 'idle' | 'done'

export interface State {
  tone: Tone
  /** As kubectl prints it: "Running", "CrashLoopBackOff", "2/3". */
  label: string
}
