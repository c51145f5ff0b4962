// ip() and cidr() of the Kubernetes library.
import { isIP } from 'node:net'
import { CelError, Opaque } from '../values.ts'
import { declare, type Overload } from './declare.ts'

interface Address {
  readonly family: 4 | 6
  readonly bits: bigint
}

/** Undefined for anything that is not an address as the API accepts it (no zones, no leading zeros, no IPv4 in IPv6 form). */
function readAddress(text: string): Address | undefined {
  const family = isIP(text)
  if (family === 0 || text.includes('%')) return undefined
  if (family === 4) return { family, bits: text.split('.').reduce((sum, part) => (sum << 8n) + BigInt(part), 0n) }
  const groups = expand(text)
  const bits = groups.reduce((sum, group) => (sum << 16n) + BigInt(group), 0n)
  if (bits >> 32n === 0xffffn) return undefined
  return { family: 6, bits }
}

function expand(text: string): number[] {
  const [head = '', tail] = text.split('::')
  const parse = (part: string): number[] =>
    part === ''
      ? []
      : part.split(':').flatMap((group) => {
          if (!group.includes('.')) return [parseInt(group, 16)]
          const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
          return [a * 256 + b, c * 256 + d]
        })
  const front = parse(head)
  const back = tail === undefined ? [] : parse(tail)
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back]
}

/** As Go prints it: lower case, the longest run of zeros cut. */
function writeAddress({ family, bits }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - index * 16)) & 0xffffn).toString(16))
  let best = { start: -1, length: 1 }
  for (let start = 0; start < 8; start += 1) {
    let length = 0
    while (groups[start + length] === '0') length += 1
    if (length > best.length) best = { start, length }
  }
  if (best.start === -1) return groups.join(':')
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`
}

type IP = Opaque<Address>
const newIP = (address: Address): IP => new Opaque('net.IP', address, writeAddress(address))

function requireIP(text: string): IP {
  const address = readAddress(text)
  if (address === undefined)
    throw new CelError(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    )
  return newIP(address)
}

const inside = ({ bits, family }: Address, of: 4 | 6, prefix: bigint, length: number): boolean =>
  family === of && bits >> BigInt((of === 4 ? 32 : 128) - length) === prefix

const isLoopback = (a: Address): boolean => inside(a, 4, 127n, 8) || (a.family === 6 && a.bits === 1n)
const isUnspecified = (a: Address): boolean => a.bits === 0n
const isLinkLocalMulticast = (a: Address): boolean =>
  inside(a, 4, 0xe00000n, 24) || (a.family === 6 && (a.bits >> 112n) % 16n === 2n && inside(a, 6, 0xffn, 8))
const isLinkLocalUnicast = (a: Address): boolean => inside(a, 4, 0xa9fen, 16) || inside(a, 6, 0x3fan, 10)
const isMulticast = (a: Address): boolean => inside(a, 4, 0xen, 4) || inside(a, 6, 0xffn, 8)
const isBroadcast = (a: Address): boolean => a.family === 4 && a.bits === 0xffffffffn
const isGlobalUnicast = (a: Address): boolean =>
  !isBroadcast(a) && !isUnspecified(a) && !isLoopback(a) && !isMulticast(a) && !isLinkLocalUnicast(a)

const ips: readonly Overload[] = [
  declare('ip(string): net.IP', requireIP),
  declare('isIP(string): bool', (text: string) => readAddress(text) !== undefined),
  declare('::ip.isCanonical(string): bool', (text: string) => requireIP(text).identity === text),
  declare('string(net.IP): string', (ip: IP) => ip.identity),
  declare('net.IP.family(): int', (ip: IP) => BigInt(ip.value.family)),
  declare('net.IP.isUnspecified(): bool', (ip: IP) => isUnspecified(ip.value)),
  declare('net.IP.isLoopback(): bool', (ip: IP) => isLoopback(ip.value)),
  declare('net.IP.isLinkLocalMulticast(): bool', (ip: IP) => isLinkLocalMulticast(ip.value)),
  declare('net.IP.isLinkLocalUnicast(): bool', (ip: IP) => isLinkLocalUnicast(ip.value)),
  declare('net.IP.isGlobalUnicast(): bool', (ip: IP) => isGlobalUnicast(ip.value)),
]

interface Network {
  readonly address: Address
  readonly length: number
}
type CIDR = Opaque<Network>

function readNetwork(text: string): Network | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  const address = match === null ? undefined : readAddress(match[1] ?? '')
  const length = Number(match?.[2])
  if (address === undefined || length > (address.family === 4 ? 32 : 128)) return undefined
  return { address, length }
}

const newCIDR = (network: Network): CIDR =>
  new Opaque('net.CIDR', network, `${writeAddress(network.address)}/${String(network.length)}`)

function requireNetwork(text: string): CIDR {
  const network = readNetwork(text)
  if (network === undefined)
    throw new CelError(
      `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): ParseAddr(${JSON.stringify(text.split('/')[0])}): unable to parse IP`,
    )
  return newCIDR(network)
}

function masked({ address, length }: Network): Network {
  const shift = BigInt((address.family === 4 ? 32 : 128) - length)
  return { address: { ...address, bits: (address.bits >> shift) << shift }, length }
}

function containsIP({ address, length }: Network, ip: Address): boolean {
  const shift = BigInt((address.family === 4 ? 32 : 128) - length)
  return address.family === ip.family && address.bits >> shift === ip.bits >> shift
}
const containsCIDR = (outer: Network, inner: Network): boolean =>
  outer.length <= inner.length && containsIP(outer, inner.address)

const cidrs: readonly Overload[] = [
  declare('cidr(string): net.CIDR', requireNetwork),
  declare('isCIDR(string): bool', (text: string) => readNetwork(text) !== undefined),
  declare('string(net.CIDR): string', (cidr: CIDR) => cidr.identity),
  declare('net.CIDR.containsIP(string): bool', (cidr: CIDR, ip: string) => containsIP(cidr.value, requireIP(ip).value)),
  declare('net.CIDR.containsIP(net.IP): bool', (cidr: CIDR, ip: IP) => containsIP(cidr.value, ip.value)),
  declare('net.CIDR.containsCIDR(string): bool', (cidr: CIDR, inner: string) =>
    containsCIDR(cidr.value, requireNetwork(inner).value),
  ),
  declare('net.CIDR.containsCIDR(net.CIDR): bool', (cidr: CIDR, inner: CIDR) => containsCIDR(cidr.value, inner.value)),
  declare('net.CIDR.ip(): net.IP', (cidr: CIDR) => newIP(cidr.value.address)),
  declare('net.CIDR.masked(): net.CIDR', (cidr: CIDR) => newCIDR(masked(cidr.value))),
  declare('net.CIDR.prefixLength(): int', (cidr: CIDR) => BigInt(cidr.value.length)),
]

export const addresses: readonly Overload[] = [...ips, ...cidrs]
