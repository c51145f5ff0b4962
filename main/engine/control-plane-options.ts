// What the flags of the engine mean to the API server: files are read here, and what is wrong with one is said with its flag's name.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import type { Clock } from '../../common/machinery/clock.ts'
import type { Logger } from '../../common/machinery/logger.ts'
import type { ApiServerOptions, UserInfo } from '../apiserver/apiserver.ts'
import { labGroup } from '../../common/api/lab/v1alpha1.ts'
import { builtinKinds } from '../kinds/index.ts'
import { frontProxyCommonName, type LabPki } from '../pki/pki-files.ts'
import { readAdmission } from './access/admission.ts'
import { anonymousAccess, readAuthentication } from './access/authentication.ts'
import { readAuthorization } from './access/authorization.ts'
import { openAudit } from './audit.ts'
import type { ClusterNetwork } from './cluster-network.ts'
import { CodedError } from './coded-error.ts'
import { messageOf, readFlagFile } from './flag-files.ts'
import type { EngineOptions } from './options.ts'
import { servedResources } from './runtime-config.ts'
import { namesIn } from './server-names.ts'
import { readCertificates, readNamed, readPair, readServing, requirePem } from './serving.ts'
import { readTokenFile } from './token-file.ts'

type Part = Pick<
  ApiServerOptions,
  | 'tls'
  | 'serviceAccountKey'
  | 'anonymousAuth'
  | 'otherTokens'
  | 'requestHeader'
  | 'authorizationModes'
  | 'admissionPlugins'
  | 'audit'
  | 'aggregation'
  | 'flowControl'
  | 'http'
  | 'serves'
>

export interface ControlPlaneOptions {
  readonly apiServer: Part
  readonly tokens: ReadonlyMap<string, UserInfo>
  /** Names in a certificate that was given. */
  readonly hosts: readonly string[]
  /** PEM of what clients must trust: the engine's authority, and a certificate that was given. */
  readonly trust: string
  /** Resolves when all audit events are written. */
  close(): Promise<void>
}

export async function readControlPlaneOptions(
  options: EngineOptions,
  context: {
    readonly pki: LabPki
    readonly network: ClusterNetwork
    readonly logger: Logger
    readonly clock: Clock
  },
): Promise<ControlPlaneOptions> {
  const { pki, network, logger, clock } = context
  const [named, modes, serving, proxyClient, clientCa, requestHeader, serviceAccountKey, tokens, audit] =
    await Promise.all([
      readNamed(options),
      readAuthorization(options),
      readServing(options, pki),
      readPair(
        ['proxy-client-cert-file', options.proxyClientCertFile],
        ['proxy-client-key-file', options.proxyClientKeyFile],
      ),
      options.clientCaFile === undefined ? '' : readCertificates('client-ca-file', options.clientCaFile),
      readRequestHeader(options),
      readServiceAccountKeys(options, pki, network),
      options.tokenAuthFile === undefined ? new Map<string, UserInfo>() : readTokenFile(options.tokenAuthFile),
      openAudit(options, { logger, clock }),
    ])
  const admissionPlugins = await readAdmission(options)
  const access = await readAuthentication(options, anonymousAccess(options, modes))
  const { maxRequestsInflight: reads = 400, maxMutatingRequestsInflight: writes = 200 } = options
  return {
    apiServer: {
      tls: {
        ...(serving ?? pki.server),
        clientCa: [pki.authority.cert, clientCa, requestHeader?.clientCa ?? ''].join('\n'),
        ...(options.tlsMinVersion === undefined ? {} : { minVersion: options.tlsMinVersion }),
        ...(options.tlsCipherSuites === undefined ? {} : { cipherSuites: options.tlsCipherSuites }),
        ...(named.length === 0 ? {} : { named }),
        ...(options.http2 === undefined ? {} : { http2: options.http2 }),
        ...(options.http2MaxStreams === undefined ? {} : { maxStreams: options.http2MaxStreams }),
      },
      serviceAccountKey,
      anonymousAuth: access.anonymous,
      otherTokens: access.otherTokens,
      ...(requestHeader === undefined ? {} : { requestHeader }),
      authorizationModes: modes,
      admissionPlugins,
      ...(audit === undefined ? {} : { audit: { policy: audit.policy, sink: audit.log.sink } }),
      aggregation: {
        identity: proxyClient ?? pki.frontProxy.client,
        requestHeader: requestHeader ?? {
          clientCa: pki.frontProxy.authority.cert,
          allowedNames: [frontProxyCommonName],
          ...requestHeaderDefaults,
        },
        clientCa: `${pki.authority.cert}${clientCa}`,
      },
      flowControl: { reads, writes, fair: options.priorityAndFairness ?? true },
      http: httpOptions(options),
      ...(options.runtimeConfig === undefined ? {} : { serves: servedBy(options.runtimeConfig) }),
    },
    hosts: [...(serving === undefined ? [] : namesIn(serving.cert)), ...named.flatMap(({ names }) => names)],
    tokens,
    trust: serving === undefined ? pki.authority.cert : `${pki.authority.cert.trimEnd()}\n${serving.cert}`,
    close: () => audit?.log.close() ?? Promise.resolve(),
  }
}

function httpOptions(options: EngineOptions): NonNullable<ApiServerOptions['http']> {
  const { requestTimeoutMs, minRequestTimeoutSeconds, corsAllowedOrigins, strictTransportSecurity, goawayChance } =
    options
  return {
    ...(requestTimeoutMs === undefined ? {} : { requestTimeoutMs }),
    ...(minRequestTimeoutSeconds === undefined ? {} : { minWatchMs: minRequestTimeoutSeconds * 1000 }),
    ...(corsAllowedOrigins === undefined ? {} : { corsAllowedOrigins }),
    ...(strictTransportSecurity === undefined ? {} : { strictTransportSecurity }),
    ...(goawayChance === undefined ? {} : { goawayChance }),
  }
}

/** The lab's own group is no part of what may be turned off. */
function servedBy(config: Readonly<Record<string, string>>): NonNullable<ApiServerOptions['serves']> {
  try {
    const serves = servedResources(config, new Set(builtinKinds.map(({ group }) => group)))
    return (resource) => resource.group === labGroup || serves(resource)
  } catch (error) {
    throw new CodedError('BadArgument', messageOf(error), 'Write, for example, --runtime-config=batch/v1=false.', {
      cause: error,
    })
  }
}

const requestHeaderDefaults = {
  usernameHeaders: ['X-Remote-User'],
  groupHeaders: ['X-Remote-Group'],
  extraHeaderPrefixes: ['X-Remote-Extra-'],
}

async function readRequestHeader({ requestHeader }: EngineOptions): Promise<ApiServerOptions['requestHeader']> {
  if (requestHeader === undefined) return undefined
  const { clientCaFile, allowedNames, usernameHeaders, uidHeaders, groupHeaders, extraHeaderPrefixes } = requestHeader
  // As upstream: without an authority of its own, nobody is believed.
  if (clientCaFile === undefined) return undefined
  return {
    clientCa: await readCertificates('requestheader-client-ca-file', clientCaFile),
    allowedNames: allowedNames ?? [],
    usernameHeaders: usernameHeaders ?? requestHeaderDefaults.usernameHeaders,
    ...(uidHeaders === undefined ? {} : { uidHeaders }),
    groupHeaders: groupHeaders ?? requestHeaderDefaults.groupHeaders,
    extraHeaderPrefixes: extraHeaderPrefixes ?? requestHeaderDefaults.extraHeaderPrefixes,
  }
}

async function readServiceAccountKeys(
  options: EngineOptions,
  pki: LabPki,
  network: ClusterNetwork,
): Promise<ApiServerOptions['serviceAccountKey']> {
  const [issuer = `https://kubernetes.default.svc.${network.domain}`, ...acceptedIssuers] =
    options.serviceAccountIssuers ?? []
  const { serviceAccountSigningKeyFile: signingFile, serviceAccountKeyFiles = [] } = options
  const verifyPems = await Promise.all(
    serviceAccountKeyFiles.map(async (file) => {
      const flag = 'service-account-key-file'
      const pem = requirePem(flag, file, await readFlagFile(flag, file), 'public key', createPublicKey)
      return createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString()
    }),
  )
  const { serviceAccountJwksUri: jwksUri, serviceAccountMaxTokenSeconds: maxTokenSeconds } = options
  const shared = {
    issuer,
    acceptedIssuers,
    verifyPems,
    audiences: options.apiAudiences ?? [],
    ...(jwksUri === undefined || jwksUri === '' ? {} : { jwksUri }),
    ...(maxTokenSeconds === undefined ? {} : { maxTokenSeconds }),
  }
  if (signingFile === undefined) return { ...pki.serviceAccountKey, ...shared }
  const flag = 'service-account-signing-key-file'
  const pem = requirePem(flag, signingFile, await readFlagFile(flag, signingFile), 'private key', createPrivateKey)
  return {
    privatePem: createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: createPublicKey(pem).export({ type: 'spki', format: 'pem' }).toString(),
    ...shared,
  }
}
