// The node agent: kubelet, service proxy and cluster DNS of one machine in one process. This file only puts the parts together.
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentPaths } from '../../common/channel/agent-api.ts'
import { guestPaths, type GuestConfig } from '../../common/channel/guest-config.ts'
import { createClient } from '../../common/client/create-client.ts'
import { createEventRecorder } from '../../common/client/event-recorder.ts'
import { createSharedInformers } from '../../common/client/shared-informers.ts'
import { endpointSlices, nodes, services } from '../../common/client/resources.ts'
import { systemClock } from '../../common/machinery/clock.ts'
import { createHttp2Transport } from '../../main/client/http2-transport.ts'
import { startApiTunnel } from './channel/api-tunnel.ts'
import { startControlServer } from './channel/control-server.ts'
import { startRegistryProxy } from './channel/registry-proxy.ts'
import { ReverseConnection } from './channel/reverse-connection.ts'
import { readConfig } from './config.ts'
import { createLogger, describeError } from './logger.ts'
import { informerNames } from './dns/cluster-names.ts'
import { startDnsServer } from './dns/server.ts'
import { HostPorts } from './proxy/host-ports.ts'
import { startProxy } from './proxy/apply.ts'
import { forgetOldAddresses, setUpInterfaces, writeCniConfiguration } from './network/interfaces.ts'
import { PodRoutes } from './network/pod-routes.ts'
import { nodeFacts, readMachineFacts } from './node/node-facts.ts'
import { NodeReporter } from './node/node-reporter.ts'
import { containerReference } from './pods/container-reference.ts'
import { ImagePuller } from './pods/image-puller.ts'
import { startLogRotation } from './pods/log-rotation.ts'
import { PodManager } from './pods/pod-manager.ts'
import type { PodContext } from './pods/pod-context.ts'
import { RestartBackoff } from './pods/restart-backoff.ts'
import { StatusWriter } from './pods/status-writer.ts'
import { followRuntime } from './runtime/events.ts'
import { Runtime, RuntimeService } from './runtime/runtime.ts'
import { createRouter } from './server/agent-server.ts'
import { containerLogs } from './server/container-logs.ts'
import { dial } from './server/dial.ts'
import { attach, exec } from './server/exec.ts'
import { powerOff, status } from './server/node-status.ts'
import { portForward } from './server/port-forward.ts'
import { shell } from './server/shell.ts'
import { StatsSummary } from './server/stats-summary.ts'
import { createTargetFinder } from './server/target.ts'
import { Claims } from './volumes/claims.ts'
import { startLocalPathSweep } from './volumes/local-path.ts'
import { PodVolumes } from './volumes/pod-volumes.ts'
import { WatchedObjects } from './volumes/referenced-objects.ts'
import { TokenSource } from './volumes/token-source.ts'

const clock = systemClock
const logger = createLogger(process.env['ORRERY_AGENT_DEBUG'] === undefined ? 'info' : 'debug')

async function main(config: GuestConfig): Promise<void> {
  const stop = new AbortController()
  const facts = readMachineFacts(config)
  const reverse = new ReverseConnection(logger)
  const transport = createHttp2Transport({ connect: () => reverse.whenConnected() })
  const client = createClient(transport, { fieldManager: 'kubelet' })
  const runtime = new Runtime(guestPaths.containerdSocket)
  const node = nodeFacts(config, facts)

  // First of all the engine must be able to find this node.
  const events = createEventRecorder({ client, component: 'kubelet', host: config.machine, clock, logger })
  const informers = createSharedInformers({ client, logger, clock })
  const objects = new WatchedObjects({ client, logger, clock })
  const volumes = new PodVolumes({
    diskRoot: join(guestPaths.agentState, 'pods'),
    memoryRoot: '/run/orrery/pods',
    objects,
    claims: new Claims(client),
    tokens: new TokenSource(client, clock),
    node: () => node,
    clock,
  })
  const serviceInformer = informers.of(services)
  let runtimeVersion = '(not up yet)'
  const nodeInformer = informers.of(nodes)
  const reporter = new NodeReporter({
    config,
    facts,
    client,
    runtime,
    clock,
    logger,
    events,
    observed: () => nodeInformer.get(config.machine),
    signal: stop.signal,
  })
  nodeInformer.subscribe({
    onUpdate: (changed) => {
      if (changed.metadata.name === config.machine) reporter.onNodeChanged()
    },
  })
  const hostPorts = new HostPorts()
  const context: PodContext = {
    config,
    clock,
    logger,
    client,
    runtime,
    puller: new ImagePuller({ runtime, clock, arch: config.arch, onPulled: () => { reporter.imagesChanged() } }), // prettier-ignore
    backoff: new RestartBackoff(),
    objects,
    volumes,
    status: new StatusWriter({ client, clock, logger }),
    hostPorts,
    services: () => serviceInformer.list(),
    node: () => node,
    pods: () => pods.list(),
    event: (pod, type, reason, message, container) => {
      events.event(containerReference(pod, container), type, reason, message)
    },
  }
  const pods: PodManager = new PodManager(context, readHosts())
  const targets = createTargetFinder(pods, runtime)
  const stats = new StatsSummary({ runtime, clock, nodeName: config.machine, pods: () => pods.list() })
  const onStream = createRouter(
    [
      {
        method: 'GET',
        path: agentPaths.status,
        segments: [],
        handler: status({ bootId: facts.bootId, runtimeVersion: () => runtimeVersion }),
      },
      {
        method: 'GET',
        path: agentPaths.containerLogs,
        segments: ['namespace', 'pod', 'container'],
        handler: containerLogs(targets),
      },
      {
        method: 'POST',
        path: agentPaths.exec,
        segments: ['namespace', 'pod', 'container'],
        handler: exec(targets, runtime),
      },
      {
        method: 'POST',
        path: agentPaths.attach,
        segments: ['namespace', 'pod', 'container'],
        handler: attach(targets, runtime),
      },
      {
        method: 'POST',
        path: agentPaths.portForward,
        segments: ['namespace', 'pod'],
        handler: portForward(targets, runtime),
      },
      { method: 'POST', path: agentPaths.shell, segments: [], handler: shell },
      { method: 'GET', path: agentPaths.statsSummary, segments: [], handler: stats.handler },
      { method: 'POST', path: agentPaths.dial, segments: [], handler: dial },
      { method: 'POST', path: agentPaths.powerOff, segments: [], handler: powerOff(logger) },
    ],
    logger,
  )
  await startControlServer({ agent: config.agent, onStream, onReverse: (socket) => { reverse.adopt(socket) }, logger }) // prettier-ignore
  markPhase()

  await setUpInterfaces(config)
  await forgetOldAddresses(facts.bootId, guestPaths.agentState)
  await writeCniConfiguration(config.cluster.podCIDR)
  await startRegistryProxy(reverse, config.images.registryPort, logger)
  await startApiTunnel(reverse, { host: config.cluster.apiServiceAddress, port: 443 }, logger)
  const sliceInformer = informers.of(endpointSlices)
  const { apiServiceAddress, dnsAddress, domain } = config.cluster
  const stopProxy = startProxy({
    services: serviceInformer,
    slices: sliceInformer,
    hostPorts,
    nodeName: config.machine,
    skipAddresses: new Set([apiServiceAddress, dnsAddress]),
    serviceCIDR: config.cluster.serviceCIDR,
    clock,
    logger,
  })
  await startDnsServer({
    names: informerNames({ services: serviceInformer, slices: sliceInformer, domain, dnsAddress }),
    address: dnsAddress,
    port: 53,
    hasSynced: () => serviceInformer.hasSynced() && sliceInformer.hasSynced(),
    logger,
  })
  void new PodRoutes({ informer: nodeInformer, ownName: config.machine, logger })
  const stopRotation = startLogRotation({ root: guestPaths.podLogs, runtime, clock, logger })
  const stopSweep = startLocalPathSweep({ client, clock, logger })
  void reporter.run()
  let started = false
  void followRuntime({
    runtime,
    clock,
    logger,
    signal: stop.signal,
    onEvent: (event) => {
      pods.onRuntimeEvent(event)
    },
    onConnection: (problem) => {
      if (problem !== undefined) {
        reporter.setProblem(`container runtime is down: ${problem}`)
        return
      }
      void runtime.call(RuntimeService.method.version, {}).then(
        (version) => {
          runtimeVersion = version.runtimeVersion
          reporter.setProblem(undefined, runtimeVersion)
        },
        () => undefined,
      )
      if (started) return
      started = true
      pods.start()
    },
  })
  const end = (): void => {
    stop.abort()
    stopProxy()
    stopRotation()
    stopSweep()
    pods.close()
    informers.stop()
    transport.close()
    process.exit(0)
  }
  const leave = async (): Promise<void> => {
    pods.close()
    await reporter.leave().catch((error: unknown) => {
      logger.warn('the cluster could not be told of the shutdown', { error: describeError(error) })
    })
    writeFileSync(guestPaths.agentLeft, '')
  }
  // The machine is being shut down.
  process.on('SIGPWR', () => void leave())
  process.on('SIGTERM', end)
  process.on('SIGINT', end)
}

function markPhase(): void {
  const uptime = readFileSync('/proc/uptime', 'utf8').split(' ')[0] ?? '0'
  mkdirSync('/run/orrery', { recursive: true })
  writeFileSync(guestPaths.agentPid, String(process.pid) + '\n')
  appendFileSync(guestPaths.phases, `Agent ${uptime}\n`)
}

function readHosts(): string {
  try {
    return readFileSync('/etc/hosts', 'utf8')
  } catch {
    return '127.0.0.1\tlocalhost\n'
  }
}

// One broken stream or pod must not take the others with it; what it was is in the log.
process.on('uncaughtException', (error) => {
  logger.error('uncaught exception', { error: describeError(error), stack: error.stack })
})
process.on('unhandledRejection', (error) => {
  logger.error('unhandled rejection', {
    error: describeError(error),
    stack: error instanceof Error ? error.stack : undefined,
  })
})

function fail(error: unknown): void {
  logger.error('the agent cannot start', { error: describeError(error) })
  process.exitCode = 1
  setTimeout(() => process.exit(1), 100)
}

// No top-level await: the bundle is a CommonJS body (see bundle.ts).
try {
  main(readConfig()).catch(fail)
} catch (error) {
  fail(error)
}
