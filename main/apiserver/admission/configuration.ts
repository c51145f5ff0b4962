// What --admission-control-config-file says to a plugin, and how plugins read it: an Error names the field that is wrong.
import type { RemoteEndpoint } from '../auth/remote/endpoint.ts'
import type { Identity } from '../webhooks/client.ts'

export interface PluginConfiguration {
  /** The document's content. */
  readonly content: object
  /** What its kubeConfigFile describes: a server to ask. */
  readonly endpoint?: RemoteEndpoint
  /** The users of its kubeConfigFile, by the hosts they are for ("*.example.com", "hook.hooks.svc:443", "*"). */
  readonly identities?: ReadonlyMap<string, Identity>
}

/** Throws an Error unless the document is of the kind. */
export function requireKind({ content }: PluginConfiguration, group: string, kind: string): void {
  const given = content as { readonly apiVersion?: string; readonly kind?: string }
  if (given.kind !== kind || given.apiVersion?.startsWith(`${group}/`) !== true)
    throw new Error(`is no ${kind} of ${group} but ${given.kind ?? ''} of ${given.apiVersion ?? ''}`)
}

/** Throws an Error unless the value is a number of at least `min`. */
export function requireNumber(path: string, value: unknown, min: number): number {
  if (typeof value === 'number' && value >= min) return value
  throw new Error(
    `${path}: Invalid value: ${JSON.stringify(value ?? null)}: must be a number of at least ${String(min)}`,
  )
}
