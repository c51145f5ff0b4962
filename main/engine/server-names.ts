// The names and addresses under which this server is reached besides loopback, as flags tell: its certificate must hold them, and
// requests may name them.
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { EngineOptions } from './options.ts'

export interface ServerNames {
  readonly addresses: readonly string[]
  readonly dnsNames: readonly string[]
}

const loopback = new Set(['localhost', '127.0.0.1', '::1'])

export function serverNames({ listen, advertiseAddress, externalHostname }: EngineOptions): ServerNames {
  const addresses = new Set<string>()
  const dnsNames = new Set<string>()
  const add = (name: string | undefined): void => {
    if (name !== undefined && name !== '' && !loopback.has(name)) (isIP(name) === 0 ? dnsNames : addresses).add(name)
  }
  add(externalHostname)
  add(advertiseAddress)
  if (listen !== undefined && isEverywhere(listen.host)) {
    dnsNames.add(hostname().toLowerCase())
    for (const each of Object.values(networkInterfaces()).flat())
      if (each?.scopeid === undefined || each.scopeid === 0) add(each?.address)
  } else add(listen?.host)
  return { addresses: [...addresses], dnsNames: [...dnsNames] }
}

/** All interfaces: no address that a client could dial. */
export const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** The DNS names in a certificate, as Host headers would name them. */
export function namesIn(cert: string): string[] {
  const { subjectAltName = '' } = new X509Certificate(cert)
  return [...subjectAltName.matchAll(/DNS:([^,\s]+)/g)].map(([, name = '']) => name.toLowerCase())
}
