// The node's own part of the cluster network: service addresses that this node answers itself (API tunnel, DNS) on a dummy interface,
// the bridge's CNI configuration, and a route by which the node's processes reach services.
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { GuestConfig } from '../../../common/channel/guest-config.ts'

const run = promisify(execFile)
export const ip = async (...args: string[]): Promise<string> => (await run('ip', args)).stdout

const dummy = 'orrery0'
export const bridge = 'cni0'
const lanInterface = 'lan0'
const cniConfig = '/etc/cni/net.d/10-orrery.conflist'
const addressStore = '/var/lib/cni/networks/orrery'

/** Idempotent: an agent that starts again finds most of it there. */
export async function setUpInterfaces(config: GuestConfig): Promise<void> {
  const { apiServiceAddress, dnsAddress, serviceCIDR } = config.cluster
  const present = await ip('-o', 'link', 'show', 'dev', dummy).catch(() => '')
  if (present === '') await ip('link', 'add', dummy, 'type', 'dummy')
  await ip('link', 'set', dummy, 'up')
  for (const address of [apiServiceAddress, dnsAddress]) await ip('address', 'replace', `${address}/32`, 'dev', dummy)
  // Destination NAT of the node's own connections happens after routing, so there has to be a route first.
  const own = config.lan.address.split('/')[0] ?? ''
  await ip('route', 'replace', serviceCIDR, 'dev', lanInterface, 'src', own)
}

/** No portmap plugin: host ports are rules of the service proxy, which costs no process per pod. */
export function cniConfiguration(podCIDR: string): unknown {
  return {
    cniVersion: '1.0.0',
    name: 'orrery',
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: true,
        isDefaultGateway: true,
        hairpinMode: true,
        ipMasq: false,
        ipam: { type: 'host-local', ranges: [[{ subnet: podCIDR }]] },
      },
    ],
  }
}

export async function writeCniConfiguration(podCIDR: string): Promise<void> {
  const text = `${JSON.stringify(cniConfiguration(podCIDR), null, 2)}\n`
  if ((await readFile(cniConfig, 'utf8').catch(() => '')) === text) return
  await mkdir(dirname(cniConfig), { recursive: true })
  await writeFile(cniConfig, text)
}

/** After a reboot no sandbox is left that could hold an address; the allocator's notes of the last boot would leak them. */
export async function forgetOldAddresses(bootId: string, stateFolder: string): Promise<boolean> {
  const marker = join(stateFolder, 'boot-id')
  if ((await readFile(marker, 'utf8').catch(() => '')) === bootId) return false
  await rm(addressStore, { recursive: true, force: true })
  await mkdir(stateFolder, { recursive: true })
  await writeFile(marker, bootId)
  return true
}
