// The API server, put together: store and kinds below, authentication, authorization and admission in front, HTTP around it.
import type { ApiServer, ApiServerOptions } from './apiserver.ts'
import { AdmissionChain } from './admission/admission.ts'
import { AdmissionMetrics } from './admission/metrics.ts'
import { newAdmissionPlugins } from './admission/plugins.ts'
import { typeWarnings } from './admission/policies/type-checking.ts'
import { Authenticator } from './auth/authenticator.ts'
import { authorizersOf } from './auth/authorization/modes.ts'
import { AuthorizerChain } from './auth/authorizer.ts'
import { Auditor } from './audit/auditor.ts'
import { Extensions } from './aggregation/extensions.ts'
import { apiServerUser, ensureBootstrapPolicy } from './auth/bootstrap.ts'
import { RbacAuthorizer } from './auth/rbac.ts'
import { openIdDocuments } from './auth/openid.ts'
import { reviewKinds, reviews } from './auth/reviews.ts'
import { tokenAuthenticators } from './auth/tokens/settings.ts'
import { ServiceAccountTokens } from './auth/service-account-tokens.ts'
import { RequestHeaderAuthenticator } from './auth/request-header.ts'
import { documentLimits } from './chain/body.ts'
import { Deadlines } from './chain/deadline.ts'
import { HttpPolicy } from './chain/http-policy.ts'
import { HostGuard } from './chain/hosts.ts'
import { CustomResources } from './crd/custom-resources.ts'
import { Discovery, type SubresourceInfo } from './discovery/discovery.ts'
import { FlowObjects } from './flow-control/flow-objects.ts'
import { newGate } from './flow-control/index.ts'
import { RequestHandler } from './handler.ts'
import { Health } from './health.ts'
import { healthChecks, type StartStep } from './health-checks.ts'
import { HttpServer } from './http-server.ts'
import { Metrics } from './metrics.ts'
import { metricsKinds, nodeMetrics } from './node-metrics/index.ts'
import { OpenApi } from './openapi/openapi.ts'
import { lookup, type Registry } from './registry/context.ts'
import { schemaOf } from './registry/decode.ts'
import { RequestMetrics } from './request-metrics.ts'
import { ResourceTable } from './registry/resource-table.ts'
import { serveKind, type ServedResource } from './registry/served-resource.ts'
import { PathRoutes } from './routes/paths.ts'
import { serverGauges } from './server-gauges.ts'
import type { ServerParts } from './server-parts.ts'
import { ConnectTable } from './streaming/connect-table.ts'
import { connectEntries } from './streaming/connects.ts'
import { serveUpgrade } from './streaming/serve-upgrade.ts'
import { builtInActions, builtInVirtualKinds, SubresourceTable } from './subresources/index.ts'
import { tokenRequest } from './subresources/token-request.ts'
import { InProcessTransport } from './transport.ts'
import { WebhookClient } from './webhooks/client.ts'
import { YamlReader } from './yaml/yaml-reader.ts'

export function createApiServer(options: ApiServerOptions): ApiServer {
  const { store, clock, logger } = options
  const resources = new ResourceTable(
    [...options.kinds, ...reviewKinds, ...metricsKinds]
      .filter((kind) => options.serves?.(kind) ?? true)
      .map((kind) => serveKind(kind, { tracksGeneration: hasSpec(kind) })),
  )
  const webhooks = new WebhookClient({ registry: () => registry, nodes: options.nodes })
  const admission = new AdmissionMetrics()
  const registry: Registry = {
    store,
    clock,
    logger,
    cluster: options.cluster,
    resources,
    admission: new AdmissionChain(
      newAdmissionPlugins(
        { authorizer: () => authorizer, rbac: () => rbac, webhooks, metrics: admission },
        options.admissionPlugins,
      ),
      admission,
    ),
  }
  const serviceAccounts = new ServiceAccountTokens({
    key: options.serviceAccountKey,
    clock,
    lookup: (plural, namespace, name) => lookup(registry, '', plural, namespace, name)?.object,
  })
  const rbac = new RbacAuthorizer(store)
  let modes = options.authorizationModes ?? ['Node', 'RBAC']
  const authorizer = new AuthorizerChain(authorizersOf(modes, { registry, rbac }))
  const authenticator = new Authenticator({
    tokens: options.tokens,
    serviceAccounts,
    session: options.authenticate,
    requestHeader:
      options.requestHeader === undefined ? undefined : new RequestHeaderAuthenticator(options.requestHeader),
    anonymous: options.anonymousAuth ?? { enabled: true },
    others: tokenAuthenticators(options.otherTokens ?? {}, registry),
    logger,
  })
  const subresources = new SubresourceTable(
    [...builtInActions, ['/serviceaccounts/token', tokenRequest(serviceAccounts)]],
    [
      ...builtInVirtualKinds,
      ...reviews({ authorizer, authenticator, rbac, modes: () => modes, audiences: serviceAccounts.audiences }),
      ...nodeMetrics(options.nodes),
    ],
  )
  const connects = new ConnectTable(connectEntries(options))
  const subresourcesOf = (resource: ServedResource): SubresourceInfo[] => [
    ...[...subresources.of(resource).values()].map(({ info }) => info),
    // The engine's own connects speak of the object they belong to.
    ...connects
      .of(resource)
      .map(({ info }) =>
        info.kind === '' ? { ...info, version: resource.kind.version, kind: resource.kind.kind } : info,
      ),
  ]
  const metrics = new Metrics()
  const requests = new RequestMetrics()
  let closing = false
  const done = new Set<StartStep>()
  const storeAnswers = (): boolean => {
    try {
      store.get('')
      return true
    } catch {
      return false
    }
  }
  const health = new Health(healthChecks({ done, storeAnswers, closing: () => closing }))
  const gate = newGate(registry, options.flowControl)
  metrics.add(
    ...requests.gauges(),
    ...admission.gauges(),
    ...serverGauges({ store, resources, health }),
    ...gate.gauges,
  )
  const extensions = new Extensions(registry, options)
  const discovery = new Discovery({ resources, subresourcesOf, extensions })
  const http = new HttpPolicy(options.http)
  const audit = options.audit === undefined ? undefined : new Auditor({ ...options.audit, now: () => clock.now() })
  metrics.add(...extensions.gauges(), ...(audit?.gauges() ?? []))
  const yaml = new YamlReader(documentLimits, { workerUrl: options.yamlWorker })
  const parts: ServerParts = {
    registry,
    hosts: new HostGuard(options.allowedHosts, (origin) => http.allows(origin)),
    http,
    deadlines: new Deadlines(clock, options.http?.requestTimeoutMs),
    minWatchMs: options.http?.minWatchMs,
    authenticator,
    authorizer,
    subresources,
    connects,
    paths: new PathRoutes({
      discovery,
      openapi: new OpenApi({ resources, subresourcesOf, extensions }),
      health,
      metrics,
      openid: openIdDocuments(options.serviceAccountKey),
    }),
    metrics,
    requests,
    audit,
    gate,
    extensions,
    yaml,
    fallback: options.fallback,
  }
  const handler = new RequestHandler(parts)
  const server = new HttpServer(
    options.tls,
    (req, res) => void handler.handle(req, res, undefined),
    (req, socket, head) => void serveUpgrade(handler, parts, { req, socket, head }, undefined),
  )
  const flowObjects = new FlowObjects(registry, apiServerUser)
  const customResources = new CustomResources(registry, webhooks)
  done.add('customResources')
  const ready = ensureBootstrapPolicy(registry)
    .then(() => {
      done.add('policy')
      return extensions.start(new InProcessTransport(parts, apiServerUser))
    })
    .then(() => {
      done.add('aggregation')
      flowObjects.start()
      done.add('flowControl')
    })
  // Whoever awaits `ready` sees the failure; without anyone the process must not die of it.
  ready.catch((error: unknown) => {
    logger.error('start of the API server failed', { error })
  })

  return {
    ready,
    listen: (address) => server.listen(address),
    serveConnection(socket, user, extra) {
      const connection = {
        user: user.groups.includes('system:authenticated')
          ? user
          : { ...user, groups: [...user.groups, 'system:authenticated'] },
      }
      server.adopt(
        socket,
        (req, res) => {
          if (extra?.(req, res) !== true) void handler.handle(req, res, connection)
        },
        (req, upgraded, head) => void serveUpgrade(handler, parts, { req, socket: upgraded, head }, connection),
      )
    },
    transport: (user) => new InProcessTransport(parts, user),
    policyWarnings: (policy) => typeWarnings(resources, policy),
    authenticateBy: ({ anonymous, otherTokens }) => {
      authenticator.replace({ anonymous, others: tokenAuthenticators(otherTokens, registry) })
    },
    authorizeBy: (next) => {
      authorizer.replace(authorizersOf(next, { registry, rbac }))
      modes = next
    },
    showMetrics(...gauges) {
      metrics.add(...gauges)
    },
    announceShutdown() {
      closing = true
    },
    async close() {
      closing = true
      gate.close()
      authenticator.close()
      flowObjects.close()
      customResources.close()
      extensions.close()
      webhooks.close()
      yaml.close()
      await server.close()
    },
  }
}

function hasSpec(kind: ApiServerOptions['kinds'][number]): boolean {
  const { root, definitions } = schemaOf(kind)
  const fields = definitions[root]?.fields
  return fields !== undefined && 'spec' in fields
}
