// Plugs NIC 2's hub inside QEMU into the lab's switch, over QMP. Done at every boot and again whenever the switch came back
// (engine restarted, worker died): the guest never sees its NIC leave. Works on QEMU 7.2, whose stream netdev cannot reconnect.
import { lanHubId } from './command-line.ts'
import type { Endpoint } from './endpoint.ts'
import { type QmpClient, QmpError } from './qmp.ts'

const uplink = 'lan-uplink'
const hubPort = 'lan-uplink-port'

/** Connects (or reconnects) the LAN cable to the switch port listening at `endpoint`. */
export async function plugLan(qmp: QmpClient, endpoint: Endpoint): Promise<void> {
  await unplugLan(qmp)
  const addr =
    endpoint.type === 'unix'
      ? { type: 'unix', path: endpoint.path }
      : { type: 'inet', host: endpoint.host, port: String(endpoint.port) }
  await qmp.execute('netdev_add', { type: 'stream', id: uplink, server: false, addr })
  await qmp.execute('netdev_add', { type: 'hubport', id: hubPort, hubid: lanHubId, netdev: uplink })
}

export async function unplugLan(qmp: QmpClient): Promise<void> {
  for (const id of [hubPort, uplink]) {
    try {
      await qmp.execute('netdev_del', { id })
    } catch (error) {
      // Not plugged: nothing to take out.
      if (!(error instanceof QmpError && (error.code === 'DeviceNotFound' || error.code === 'GenericError')))
        throw error
    }
  }
}
