// What the handler chain is made of; put together once in index.ts.
import type { ApiServerOptions } from './apiserver.ts'
import type { Extensions } from './aggregation/extensions.ts'
import type { Auditor } from './audit/auditor.ts'
import type { Gate } from './flow-control/gate.ts'
import type { Authenticator } from './auth/authenticator.ts'
import type { AuthorizerChain } from './auth/authorizer.ts'
import type { Deadlines } from './chain/deadline.ts'
import type { HttpPolicy } from './chain/http-policy.ts'
import type { HostGuard } from './chain/hosts.ts'
import type { Metrics } from './metrics.ts'
import type { RequestMetrics } from './request-metrics.ts'
import type { PathRoutes } from './routes/paths.ts'
import type { Registry } from './registry/context.ts'
import type { SubresourceTable } from './subresources/index.ts'
import type { ConnectTable } from './streaming/connect-table.ts'
import type { YamlReader } from './yaml/yaml-reader.ts'

export interface ServerParts {
  readonly registry: Registry
  readonly hosts: HostGuard
  readonly http: HttpPolicy
  readonly deadlines: Deadlines
  /** Of watches whose clients name no end. */
  readonly minWatchMs: number | undefined
  readonly authenticator: Authenticator
  readonly authorizer: AuthorizerChain
  readonly subresources: SubresourceTable
  readonly connects: ConnectTable
  readonly paths: PathRoutes
  readonly metrics: Metrics
  readonly requests: RequestMetrics
  readonly audit: Auditor | undefined
  readonly gate: Gate
  readonly extensions: Extensions
  readonly yaml: YamlReader
  readonly fallback: ApiServerOptions['fallback']
}
