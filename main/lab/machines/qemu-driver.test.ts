// The driver contract against real QEMU processes. The guests need not get anywhere: a kernel that has just begun is enough. Needs a node
// image in the cache (made by npm start); skipped without.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../common/client/testing/eventually.ts'
import { systemClock } from '../../../common/machinery/clock.ts'
import { silentLogger } from '../../../common/machinery/logger.ts'
import { findNodeImage } from '../../../vm-images/build.ts'
import { defaultCache, homePaths, type HomePaths } from '../../engine/paths.ts'
import { type LanSwitch, startSwitch } from '../../network/switch.ts'
import { readState } from '../../vm/process.ts'
import type { AgentChannel, NodeImage } from './deps.ts'
import { contractRequest, describeDriver } from './driver-contract.ts'
import { createHostPreparation } from './host-facts.ts'
import { createQemuDriver, type QemuDriver } from './qemu-driver.ts'

const image: NodeImage | undefined = await findNodeImage({ arch: 'amd64', cache: defaultCache() }).catch(
  () => undefined,
)

const network = {
  lanCIDR: '10.77.0.0/16',
  clusterCIDR: '10.244.0.0/16',
  serviceCIDR: '10.96.0.0/16',
  apiServiceAddress: '10.96.0.1',
  dnsAddress: '10.96.0.10',
  domain: 'cluster.local',
}
const noAgents: AgentChannel = {
  attach: () => undefined,
  detach: () => undefined,
  isConnected: () => false,
  subscribe: () => () => undefined,
}

interface Host {
  paths: HomePaths
  lans: LanSwitch[]
  drivers: QemuDriver[]
}
const hosts: Host[] = []

async function newHost(): Promise<Host> {
  const host: Host = { paths: homePaths(await mkdtemp(join(tmpdir(), 'orrery-driver-'))), lans: [], drivers: [] }
  hosts.push(host)
  return host
}

function newDriver({ paths, lans, drivers }: Host, source?: NodeImage): { driver: QemuDriver; lan: LanSwitch } {
  const lan = startSwitch({ socketPath: (name) => paths.machine(name).lanSocket, logger: silentLogger })
  lans.push(lan)
  const nodeImage = source ?? image
  const driver = createQemuDriver({
    paths,
    lan,
    channel: noAgents,
    clock: systemClock,
    logger: silentLogger,
    host: createHostPreparation({
      // The other architecture's name keeps the accelerator probe out of this test.
      hostArch: 'arm64',
      acceleratorCache: paths.accelerators,
      images: {
        nodeImage: () => (nodeImage === undefined ? Promise.reject(new Error('no image')) : Promise.resolve(nodeImage)),
      },
    }),
    supplies: {
      network,
      pauseImage: 'pause',
      registryPort: 5_000,
      agentBundle: () => Promise.resolve(Buffer.from('')),
      issueAgentCertificate: () => Promise.resolve({ cert: '', key: '', ca: '' }),
    },
  })
  drivers.push(driver)
  return { driver, lan }
}

afterEach(async () => {
  for (const { drivers, lans, paths } of hosts.splice(0)) {
    for (const driver of drivers) await driver.release()
    for (const lan of lans) await lan.stop()
    for (const name of ['a', 'b']) {
      const state = await readState(paths.machine(name).state)
      try {
        if (state !== undefined) process.kill(state.pid, 'SIGKILL')
      } catch {
        // Ended as it should have.
      }
    }
    await rm(paths.home, { recursive: true, force: true })
  }
})

describe.skipIf(image === undefined)('QEMU driver', () => {
  describeDriver(async () => {
    const host = await newHost()
    return {
      driver: newDriver(host).driver,
      kill: (_, { boot }) => {
        process.kill(boot.pid, 'SIGKILL')
      },
      restarted: () => Promise.resolve(newDriver(host).driver),
    }
  }, 60_000)

  test('the LAN cable is plugged at boot and again into the switch of the next engine', async () => {
    const host = await newHost()
    const first = newDriver(host)
    await first.driver.adopt('a')
    first.driver.boot(contractRequest('a'))
    await eventually(() => first.lan.isUp('a'))
    await first.driver.release()
    await first.lan.stop()
    const second = newDriver(host)
    await second.driver.adopt('a')
    await eventually(() => second.lan.isUp('a'))
    second.driver.powerOff('a', 0)
    await eventually(() => second.driver.observe('a').state === 'absent')
  })

  test('a boot that cannot be says why, and leaves nothing running', async () => {
    const { driver } = newDriver(await newHost(), {
      id: 'x',
      kernel: '/nonexistent/vmlinux',
      initrd: '',
      root: '',
      dataTemplate: image?.dataTemplate ?? '',
    })
    await driver.adopt('a')
    driver.boot(contractRequest('a'))
    const seen = await eventually(() => {
      const observation = driver.observe('a')
      expect(observation).toMatchObject({ state: 'absent', failuresInRow: 1 })
      return observation
    })
    expect(seen).toMatchObject({ failure: { retryable: true, message: expect.stringContaining('qemu') as string } })
  })

  test('a boot is given up when it is not wanted any more', async () => {
    const host = await newHost()
    const { driver } = newDriver(host)
    await driver.adopt('a')
    driver.boot(contractRequest('a'))
    driver.powerOff('a', 0)
    expect(driver.observe('a').state).toBe('stopping')
    await eventually(() => driver.observe('a').state === 'absent')
    expect(driver.observe('a')).toEqual({ state: 'absent', failuresInRow: 0 })
    expect(await readState(host.paths.machine('a').state)).toBeUndefined()
  })
})
