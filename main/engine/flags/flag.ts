// A flag of `orrery engine`: its name, its line in --help and what it sets. Values are read here; what is wrong is said with the flag's name.
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parseGoDuration } from '../../../common/machinery/go-duration.ts'
import { CodedError } from '../coded-error.ts'
import type { EngineOptions } from '../options.ts'
import { goBoolean } from './feature-gates.ts'

export interface EngineFlag {
  /** Upstream's name where kube-apiserver or kube-controller-manager has the same flag. */
  readonly name: string
  /** What the value is called in --help; absent for flags that are true when given. */
  readonly argument?: string
  readonly description: string
  /** One letter: "v" for -v. */
  readonly short?: string
  /** May be given several times. */
  readonly repeatable?: true
  set(options: EngineOptions, text: string): void
}

export interface FlagSection {
  readonly title: string
  readonly flags: readonly EngineFlag[]
}

export function badValue(name: string, text: string, why: string, hint: string): CodedError {
  return new CodedError('BadArgument', `invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${why}`, hint)
}

export function parseBoolean(name: string, text: string): boolean {
  const value = text === '' ? true : goBoolean(text)
  if (value !== undefined) return value
  const why = `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`
  throw badValue(name, text, why, `Write --${name}=true or --${name}=false.`)
}

export function parseCount(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw badValue(name, text, 'is not a whole number', `Write --${name}=100, for example.`)
  return Number(text)
}

/** "1h30m", "5s", "0": milliseconds. */
export function parseDuration(name: string, text: string): number {
  const ms = parseGoDuration(text)
  if (ms !== undefined) return ms
  const why = /^[+-]?\d+(\.\d*)?$/.test(text) ? 'missing unit in duration' : 'invalid duration'
  throw badValue(name, text, `time: ${why} ${JSON.stringify(text)}`, `Write --${name}=90s or 1h30m, for example.`)
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

/** Any IP address, or localhost. */
export function parseAddress(name: string, text: string): string {
  const host = text.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) !== 0 || host === 'localhost') return host
  throw badValue(name, text, 'failed to parse IP', 'Give an IP address, for example 127.0.0.1 or 0.0.0.0.')
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
  if (['127.0.0.1', 'localhost', '::1'].includes(host)) return { host, port }
  throw new CodedError(
    'BadArgument',
    `--listen ${host}: this is for loopback addresses only`,
    'Use 127.0.0.1, localhost or [::1]; --bind-address and --secure-port take any address.',
  )
}

/** Flags whose value goes into one field as it was read. */
export const flag = (name: string, argument: string, description: string, set: EngineFlag['set']): EngineFlag => ({
  name,
  argument,
  description,
  set,
})
export const file = (
  name: string,
  description: string,
  set: (options: EngineOptions, path: string) => void,
): EngineFlag =>
  flag(name, 'file', description, (options, text) => {
    set(options, parseFile(name, text))
  })
export const list = (
  name: string,
  argument: string,
  description: string,
  set: (options: EngineOptions, items: string[]) => void,
): EngineFlag => ({
  ...flag(name, argument, description, (options, text) => {
    set(options, parseList(text))
  }),
  repeatable: true,
})
export const count = (
  name: string,
  description: string,
  set: (options: EngineOptions, value: number) => void,
): EngineFlag =>
  flag(name, 'n', description, (options, text) => {
    set(options, parseCount(name, text))
  })
export const bool = (
  name: string,
  description: string,
  set: (options: EngineOptions, value: boolean) => void,
): EngineFlag =>
  flag(name, 'bool', description, (options, text) => {
    set(options, parseBoolean(name, text))
  })
export const duration = (
  name: string,
  description: string,
  set: (options: EngineOptions, ms: number) => void,
): EngineFlag =>
  flag(name, 'duration', description, (options, text) => {
    set(options, parseDuration(name, text))
  })
