// A flag of `orrery engine`: its name, its line in --help and what it sets. Values are read here; what is wrong is said with the flag's name.
import { resolve } from 'node:path'
import { CodedError } from '../coded-error.ts'
import type { EngineOptions } from '../options.ts'

export interface EngineFlag {
  /** Upstream's name where kube-apiserver or kube-controller-manager has the same flag. */
  readonly name: string
  /** What the value is called in --help; absent for flags that are true when given. */
  readonly argument?: string
  readonly description: string
  /** May be given several times. */
  readonly repeatable?: true
  set(options: EngineOptions, text: string): void
}

export interface FlagSection {
  readonly title: string
  readonly flags: readonly EngineFlag[]
}

export function badValue(name: string, text: string, why: string, hint: string): CodedError {
  return new CodedError('BadArgument', `--${name}=${text}: ${why}`, hint)
}

export function parseBoolean(name: string, text: string): boolean {
  if (text === '' || text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw badValue(name, text, 'is neither true nor false', `Write --${name}=true or --${name}=false.`)
}

export function parseCount(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw badValue(name, text, 'is not a whole number', `Write --${name}=100, for example.`)
  return Number(text)
}

/** "a,b,c", with blanks allowed. */
export const parseList = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

export function parseFile(name: string, text: string): string {
  if (text === '') throw badValue(name, text, 'names no file', `Write --${name}=FILE.`)
  return resolve(text)
}

export function parseOneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === text)
  if (found === undefined) throw badValue(name, text, 'is not known here', `Use one of: ${allowed.join(', ')}.`)
  return found
}

/** "127.0.0.1:7443", "localhost:0", "[::1]:7443". Only loopback addresses are accepted. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text)
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3])
  if (!match || port > 65535) {
    throw new CodedError(
      'BadArgument',
      `--listen "${text}" is not an address`,
      'Give HOST:PORT, for example --listen 127.0.0.1:7443, or port 0 for any free one.',
    )
  }
  return { host: parseLoopback('listen', host), port }
}

export function parseLoopback(name: string, host: string): string {
  if (['127.0.0.1', 'localhost', '::1'].includes(host)) return host
  throw new CodedError(
    'BadArgument',
    `--${name} ${host}: Orrery listens on this computer's loopback only`,
    'Use 127.0.0.1, localhost or [::1].',
  )
}
