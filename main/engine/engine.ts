// Composition of the engine: what exists, in which order it starts and stops. No behaviour of its own.
import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { connect as connectTcp } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Duplex } from 'node:stream'
import { tunnelPath } from '../../common/channel/agent-api.ts'
import type { KubeClient } from '../../common/client/client.ts'
import { createClient } from '../../common/client/create-client.ts'
import { createSharedInformers } from '../../common/client/shared-informers.ts'
import { systemClock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import { newDeviceSelector } from '../apiserver/cel/device-selector.ts'
import { createApiServer } from '../apiserver/index.ts'
import type { ConnectSubresource, HttpRequest, HttpResponse } from '../apiserver/apiserver.ts'
import { ChannelHub } from '../channel/channel-hub.ts'
import { selectControllers, startControllers } from '../controllers/index.ts'
import { builtinKinds } from '../kinds/index.ts'
import { openPki } from '../pki/pki-files.ts'
import { startScheduler } from '../scheduler/index.ts'
import { startCompactor } from '../store/compactor.ts'
import { anonymousAccess } from './access/authentication.ts'
import { reloadAccess } from './access/reload.ts'
import { newApiServiceReconciler } from './api-service.ts'
import { writeFileAtomic } from './atomic-file.ts'
import { clusterSigner } from './cluster-signer.ts'
import { clusterNetwork, labNetwork } from './cluster-network.ts'
import { controllerSettings } from './controller-settings.ts'
import { CodedError } from './coded-error.ts'
import { readControlPlaneOptions } from './control-plane-options.ts'
import { controllerGauges, schedulerGauges } from './component-metrics.ts'
import { ensureDefaultObjects } from './default-objects.ts'
import { startEventExpiry } from './event-expiry.ts'
import type { EngineInfo } from './engine-info.ts'
import { Forwards, forwardsSubresource } from './forwards/forwards.ts'
import { lockHome } from './home-lock.ts'
import { hostShells } from './host-shell/host-shells.ts'
import { kubeconfig } from './kubeconfig.ts'
import { startLab, type RunningLab } from './lab.ts'
import { listen } from './listen.ts'
import { openEngineStore } from './open-store.ts'
import type { EngineOptions } from './options.ts'
import { homePaths } from './paths.ts'
import { programFiles } from './program-files.ts'
import { savedSessions } from './saved-sessions.ts'
import { type Part, requireElectionTimes, startElected, startIdentityLease } from './several-engines.ts'
import { shutdownSubresource, type StopOptions } from './shutdown.ts'
import { schedulerConfigurationOf } from './scheduler-config.ts'
import { admin, controllerManager, labController, nodeUser, scheduler } from './users.ts'
import { isEverywhere, serverNames } from './server-names.ts'
import { orreryVersion } from './version.ts'
import { windowHandler } from './window/files.ts'
import { WindowSessions } from './window/sessions.ts'
import { signInSubresource } from './window/sign-in.ts'

export interface RunningEngine {
  /** "https://127.0.0.1:7443" */
  server: string
  stop(options: StopOptions): Promise<void>
}

export async function startEngine(
  options: EngineOptions,
  logger: Logger,
  onStop: (options: StopOptions) => void,
): Promise<RunningEngine> {
  const paths = homePaths(options.home)
  requireControllers(options.controllers)
  requireElectionTimes(options)
  const { schedulerConfigFile } = options
  const schedulerConfiguration =
    schedulerConfigFile === undefined ? undefined : await schedulerConfigurationOf(schedulerConfigFile)
  const network = clusterNetwork(options.serviceCIDRs, options.nodePortRange)
  const settings = controllerSettings(options.controllerSettings, network)
  const names = serverNames(options)
  const clock = systemClock
  await mkdir(paths.home, { recursive: true, mode: 0o700 })
  const unlock = await lockHome(paths.home, paths.lock)
  try {
    await mkdir(dirname(paths.store), { recursive: true, mode: 0o700 })
    const [pki, store] = await Promise.all([
      openPki(paths, network.apiServiceAddress, names),
      openEngineStore(options, paths.store, logger.child({ part: 'store' })),
    ])
    const controlPlane = await readControlPlaneOptions(options, {
      pki,
      network,
      logger: logger.child({ part: 'audit' }),
      clock,
    })
    const stopCompactor = startCompactor({
      store,
      clock,
      logger: logger.child({ part: 'store' }),
      ...(options.compactionIntervalMs === undefined ? {} : { keepMs: options.compactionIntervalMs }),
    })
    const sessions = new WindowSessions({ user: admin, now: () => clock.now(), ...savedSessions(paths.home, logger) })
    let server = ''
    const hub = new ChannelHub({
      credentials: { ca: pki.authority.cert, client: pki.engine },
      serve: (machine, socket) => {
        serveNode(machine, socket)
      },
      logger: logger.child({ part: 'channel' }),
      clock,
    })
    const shells = hostShells({
      kubeconfig: paths.kubeconfig,
      binFolders: [programFiles.commands],
      home: paths.home,
      logger,
    })
    const connects: ConnectSubresource[] = [
      shells.subresource,
      signInSubresource(sessions, () => server),
      shutdownSubresource(onStop),
    ]
    const lab: RunningLab | undefined = options.machines
      ? await startLab({
          options,
          paths,
          pki,
          hub,
          network: labNetwork(network),
          logger: logger.child({ part: 'lab' }),
          clock,
        })
      : undefined
    connects.push(...(lab?.subresources ?? []))
    // Forwards need a client of the API server that is being made: they get it right after.
    const api = createApiServer({
      store,
      kinds: builtinKinds,
      cluster: {
        serviceCIDRs: network.serviceCIDRs,
        nodePortRange: network.nodePortRange,
        clusterDomain: network.domain,
      },
      nodes: hub,
      connects: [...connects, forwardsSubresource(() => forwards)],
      logger: logger.child({ part: 'apiserver' }),
      clock,
      ...controlPlane.apiServer,
      ...(programFiles.yamlWorker ? { yamlWorker: programFiles.yamlWorker } : {}),
      tokens: new Map([[pki.adminToken, admin], ...controlPlane.tokens]),
      allowedHosts: [
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        `kubernetes.default.svc.${network.domain}`,
        network.apiServiceAddress,
        ...names.dnsNames,
        ...controlPlane.hosts,
      ],
      authenticate: (req) => sessions.authenticate(req),
      fallback: windowHandler(programFiles.window, sessions),
    })
    const stopReloading = reloadAccess(options, api, {
      anonymous: anonymousAccess(options, controlPlane.apiServer.authorizationModes ?? []),
      logger: logger.child({ part: 'apiserver' }),
    })
    const forwards = new Forwards({
      client: createClient(api.transport(labController)),
      nodes: hub,
      logger: logger.child({ part: 'forwards' }),
    })
    const address = await listen(api, paths.home, options.listen)
    const host = isEverywhere(address.host) ? '127.0.0.1' : address.host
    server = `https://${host.includes(':') ? `[${host}]` : host}:${String(address.port)}`
    await api.ready
    await ensureDefaultObjects(createClient(api.transport(labController)), { network, machines: options.machines })

    function serveNode(machine: string, socket: Duplex): void {
      api.serveConnection(
        socket,
        nodeUser(machine),
        (req, res) => tunnel(req, res, address) || (lab?.registry.handle(req, res, { readOnly: true }) ?? false),
      )
    }

    await writeFileAtomic(paths.kubeconfig, kubeconfig({ server, ca: controlPlane.trust, admin: pki.admin }), {
      mode: 0o600,
    })
    const info: EngineInfo = {
      pid: process.pid,
      version: orreryVersion,
      server,
      startedAt: new Date(clock.now()).toISOString(),
      machines: options.machines,
      ca: controlPlane.trust,
    }
    await writeFileAtomic(paths.engineInfo, JSON.stringify(info), { mode: 0o600 })
    logger.info('engine serves', { server, readyMs: Math.round(performance.now()) })

    const controllersLogger = logger.child({ part: 'controllers' })
    const controllerClient = createClient(api.transport(controllerManager))
    // One set of watches for all parts.
    const informers = createSharedInformers({ client: controllerClient, logger: controllersLogger, clock })
    const { elect = true, ...times } = options.leaderElection ?? {}
    const elected = (name: string, client: KubeClient, start: () => Part): Part =>
      options.etcd === undefined || !elect
        ? start()
        : startElected({ name, client, times, clock, logger: controllersLogger }, start)
    const controllers = elected('kube-controller-manager', controllerClient, () => {
      const part = startControllers({
        client: controllerClient,
        informers,
        clusterCA: pki.authority.cert,
        settings,
        signer: clusterSigner({
          authority: pki.authority,
          serviceAccountPem: controlPlane.apiServer.serviceAccountKey.privatePem,
        }),
        policyWarnings: (policy) => api.policyWarnings(policy),
        logger: controllersLogger,
        clock,
        ...(options.controllers === undefined ? {} : { controllers: options.controllers }),
      })
      api.showMetrics(...controllerGauges(part.controllers))
      return part
    })
    const apiService = newApiServiceReconciler({
      client: createClient(api.transport(labController)),
      informers,
      address: network.apiServiceAddress,
      logger: logger.child({ part: 'controllers' }),
      clock,
    })
    const stopEventExpiry = startEventExpiry({
      client: createClient(api.transport(labController)),
      logger: logger.child({ part: 'apiserver' }),
      clock,
      ...(options.eventTtlMs === undefined ? {} : { lifeMs: options.eventTtlMs }),
    })
    // Ends with `stop`; a start that is stopped before its caches are filled is no failure.
    apiService.start().catch(() => undefined)
    const schedulerClient = createClient(api.transport(scheduler))
    const runningScheduler =
      options.scheduler === false
        ? undefined
        : elected('kube-scheduler', schedulerClient, () => {
            const part = startScheduler({
              informers,
              client: schedulerClient,
              deviceSelector: newDeviceSelector(),
              ...(schedulerConfiguration === undefined ? {} : { configuration: schedulerConfiguration }),
              logger: logger.child({ part: 'scheduler' }),
              clock,
            })
            api.showMetrics(...schedulerGauges(part))
            return part
          })
    const identityLease =
      options.etcd === undefined
        ? undefined
        : startIdentityLease({ client: controllerClient, server, clock, logger: logger.child({ part: 'apiserver' }) })
    lab?.run(createClient(api.transport(labController)))

    return {
      server,
      async stop({ machines }) {
        logger.info('engine stops', { machines })
        api.announceShutdown()
        if (options.shutdownDelayMs !== undefined) await delay(options.shutdownDelayMs)
        forwards.closeAll()
        shells.close()
        await lab?.stop({ machines })
        informers.stop()
        await Promise.all([
          controllers.stop(),
          apiService.stop(),
          stopEventExpiry(),
          runningScheduler?.stop(),
          identityLease?.stop(),
        ])
        stopReloading()
        hub.close()
        await api.close()
        await controlPlane.close()
        stopCompactor()
        await store.close()
        await rm(paths.engineInfo, { force: true })
        await unlock()
        logger.info('engine stopped')
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

/** A name that is wrong is told before anything is started. */
function requireControllers(names: readonly string[] | undefined): void {
  try {
    selectControllers(names)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CodedError('BadArgument', `--controllers: ${why}`, 'Use "*", a name, or a name with "-" before it.')
  }
}

/** Pods' connections to kubernetes.default: raw bytes to this server's own TLS port, where they authenticate like everyone. */
function tunnel(req: HttpRequest, res: HttpResponse, address: { host: string; port: number }): boolean {
  if (req.method !== 'POST' || req.url !== tunnelPath) return false
  const socket = connectTcp(address.port, address.host)
  socket.on('error', () => {
    res.destroy()
  })
  socket.once('connect', () => {
    res.statusCode = 200
    ;(res as { flushHeaders?: () => void }).flushHeaders?.()
    req.pipe(socket)
    socket.pipe(res as NodeJS.WritableStream)
  })
  req.on('error', () => socket.destroy())
  res.on('close', () => socket.destroy())
  return true
}
