// The API server as the engine composes it. Implemented by createApiServer in index.ts.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { ExpressionWarning, ValidatingAdmissionPolicy } from '../../common/api/generated/types.ts'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import type { Transport } from '../../common/client/transport.ts'
import type { Gauge } from './metrics.ts'
import type { Policy } from './audit/policy.ts'
import type { AuthorizationMode } from './auth/authorization/modes.ts'
import type { AnonymousAccess } from './auth/authenticator.ts'
import type { TokenSettings } from './auth/tokens/settings.ts'
import type { RequestHeaderOptions } from './auth/request-header-options.ts'
import type { FlowControlSettings } from './flow-control/settings.ts'
import type { NodeConnections } from '../channel/node-connections.ts'
import type { ClusterFacts, KindDefinition } from '../kinds/kind.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionSelection } from './admission/selection.ts'
import type { UserInfo } from './auth/user-info.ts'

export type { UserInfo }

export type HttpRequest = IncomingMessage | Http2ServerRequest
export type HttpResponse = ServerResponse | Http2ServerResponse

/** A subresource that is a stream or an action of the host rather than a part of the stored object (machines/console, labs/import, …). */
export interface ConnectSubresource {
  readonly group: string
  readonly plural: string
  readonly subresource: string
  readonly methods: readonly ('GET' | 'POST')[]
  /** Plain HTTP. The request is authenticated, authorized (verb "get" for GET, "create" for POST) and the object exists. */
  onRequest?(request: ConnectRequest, req: HttpRequest, res: HttpResponse): Promise<void>
  /** WebSocket (subprotocol v5.channel.k8s.io or v4): `channels` carries the framed duplex. */
  onStream?(request: ConnectRequest, channels: ChannelStream): Promise<void>
}
export interface ConnectRequest {
  readonly user: UserInfo
  readonly namespace?: string
  readonly name: string
  readonly query: URLSearchParams
  readonly signal: AbortSignal
}
/** Multiplexed channels as of v5.channel.k8s.io, whatever the client spoke (WebSocket or SPDY). Back-pressure: await send(). */
export interface ChannelStream {
  send(channel: number, payload: Uint8Array): Promise<void>
  /** Frames from the client; close(channel) shows as {channel: 255, payload: [channel]}. Ends when the client is gone. */
  receive(): AsyncIterable<{ channel: number; payload: Uint8Array }>
  /** Ends the stream; after a Status was sent on the error channel where the protocol has one. */
  close(code?: number, reason?: string): void
}

export interface ApiServerOptions {
  readonly store: Store
  readonly kinds: readonly KindDefinition[]
  readonly cluster: ClusterFacts
  readonly nodes: NodeConnections
  readonly connects: readonly ConnectSubresource[]
  readonly logger: Logger
  readonly clock: Clock
  readonly tls: {
    /** PEM. */
    readonly cert: string
    readonly key: string
    /** Authorities of client certificates, one or more. */
    readonly clientCa: string
    /** Default TLSv1.2. */
    readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
    /** OpenSSL names. */
    readonly cipherSuites?: readonly string[]
    /** Certificates for clients that ask for a name. A name may begin with "*.". */
    readonly named?: readonly { readonly names: readonly string[]; readonly cert: string; readonly key: string }[]
    /** Default true. */
    readonly http2?: boolean
    /** Streams in one HTTP/2 connection at a time. */
    readonly maxStreams?: number
  }
  /** Signs and verifies service account tokens (RSA or EC keys as PEM). */
  readonly serviceAccountKey: {
    readonly privatePem: string
    readonly publicPem: string
    readonly issuer: string
    /** Further keys and issuers whose tokens are accepted. */
    readonly verifyPems?: readonly string[]
    readonly acceptedIssuers?: readonly string[]
    /** Audiences of this API; the issuer when absent. */
    readonly audiences?: readonly string[]
    /** Where others find the public keys; below the issuer when absent. */
    readonly jwksUri?: string
    /** Longest life of a token that is asked for; 0 or absent: no limit. */
    readonly maxTokenSeconds?: number
  }
  /** Requests without credentials are system:anonymous. Default: all. */
  readonly anonymousAuth?: AnonymousAccess
  /** Tokens of others. */
  readonly otherTokens?: TokenSettings
  /** Front proxies that tell who the user is. */
  readonly requestHeader?: RequestHeaderOptions
  /** Who decides, in order. Default: Node, RBAC. */
  readonly authorizationModes?: readonly AuthorizationMode[]
  /** What to record of requests, and where: `sink` takes one event as a line of JSON, without its end. */
  readonly audit?: { readonly policy: Policy; readonly sink: (line: string) => void }
  /** For extension API servers: who this server is to them, and what they are told to believe. */
  readonly aggregation?: {
    /** PEM. */
    readonly identity: { readonly cert: string; readonly key: string }
    readonly requestHeader: RequestHeaderOptions
    /** PEM of the authorities of users' certificates. */
    readonly clientCa: string
  }
  /** How many requests are at work at a time, and who is next. Streams do not count, nor watches once they have begun. */
  readonly flowControl?: FlowControlSettings
  /** How the API is spoken in HTTP. */
  readonly http?: {
    /** Time any request may take that is no watch and no stream; absent: only those whose clients name one. */
    readonly requestTimeoutMs?: number
    /** A watch lasts this long to twice as long when its client names no end. Default half an hour. */
    readonly minWatchMs?: number
    /** Regular expressions. */
    readonly corsAllowedOrigins?: readonly string[]
    readonly strictTransportSecurity?: readonly string[]
    /** Part of HTTP/2 requests after which the client is asked to connect anew. */
    readonly goawayChance?: number
  }
  /** False for built-in resources that are not to be served. */
  readonly serves?: (resource: { readonly group: string; readonly version: string; readonly plural: string }) => boolean
  /** Static bearer tokens by value (the admin's, and those of a token file). */
  readonly tokens: ReadonlyMap<string, UserInfo>
  /** The file of the thread that reads large YAML; absent when run from source. */
  readonly yamlWorker?: URL
  /** Hosts a browser or client may name in the Host header besides 127.0.0.1, localhost and ::1. */
  readonly allowedHosts: readonly string[]
  /** Requests outside the API (window files, sign-in): true when handled. Runs before authentication. */
  readonly fallback?: (
    req: HttpRequest,
    res: HttpResponse,
    authenticated: UserInfo | undefined,
  ) => boolean | Promise<boolean>
  /** Admission plugins besides and without the default ones; AdmissionPluginError for unknown names. */
  readonly admissionPlugins?: AdmissionSelection
  /** Extra authenticator, asked after client certificate and bearer token (the window's session cookie). */
  readonly authenticate?: (req: HttpRequest) => UserInfo | undefined
}

export interface ApiServer {
  /** Binds; rejects with an Error whose `code` is EADDRINUSE when the port is taken. Port 0 picks one. */
  listen(address: { host: string; port: number }): Promise<{ host: string; port: number }>
  /** Serves HTTP/1.1 and HTTP/2 on an already connected, already authenticated socket (a node's reverse connection). */
  serveConnection(socket: Duplex, user: UserInfo, extra?: (req: HttpRequest, res: HttpResponse) => boolean): void
  /** The in-process road for controllers: same admission, validation and store; no serialization; RBAC as this user. Objects read are frozen. */
  transport(user: UserInfo): Transport
  /** What the expressions of a policy get wrong about the types of what its rules name: for its status. */
  policyWarnings(policy: ValidatingAdmissionPolicy): ExpressionWarning[]
  /** From now on these decide, in this order. Throws CompileError and WrongResult for conditions of webhooks. */
  authorizeBy(modes: readonly AuthorizationMode[]): void
  /** From now on these are accepted. Throws CompileError and WrongResult for expressions. */
  authenticateBy(settings: { readonly anonymous: AnonymousAccess; readonly otherTokens: TokenSettings }): void
  /** Adds kinds found at run time (CustomResourceDefinitions are handled inside). */
  readonly ready: Promise<void>
  /** Further things to show at /metrics. */
  showMetrics(...gauges: readonly Gauge[]): void
  /** /readyz fails from now on; everything is still served. */
  announceShutdown(): void
  close(): Promise<void>
}
