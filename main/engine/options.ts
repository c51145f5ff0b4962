// What an engine is started with. The words on the command line that set it are in flags/.
import type { ControllerSettings } from '../controllers/index.ts'

export type AuthorizationMode = 'Node' | 'RBAC' | 'ABAC' | 'Webhook' | 'AlwaysAllow' | 'AlwaysDeny'

export interface EngineOptions {
  home: string
  cache: string
  /** False: a control plane alone, nothing of QEMU, images or the switch. */
  machines: boolean
  listen?: { host: string; port: number }
  /** Log to stderr too. */
  foreground: boolean
  logLevel: 'debug' | 'info' | 'warn' | 'error'

  /** Serving. PEM files; the engine's own certificate when absent. */
  tlsCertFile?: string
  tlsPrivateKeyFile?: string
  /** Folder of apiserver.crt and apiserver.key: used when they are there, written when not. */
  certDir?: string
  tlsMinVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** OpenSSL names. */
  tlsCipherSuites?: string[]
  /** Without names: those in the certificate. */
  namedCertificates?: { certFile: string; keyFile: string; names: string[] }[]
  /** Default true. */
  http2?: boolean
  http2MaxStreams?: number
  maxRequestsInflight?: number
  maxMutatingRequestsInflight?: number
  /** Default true. */
  priorityAndFairness?: boolean

  /** The server as a whole. */
  requestTimeoutMs?: number
  minRequestTimeoutSeconds?: number
  /** Of HTTP/2 requests: 0 to 0.02. */
  goawayChance?: number
  shutdownDelayMs?: number
  /** Regular expressions. */
  corsAllowedOrigins?: string[]
  strictTransportSecurity?: string[]
  externalHostname?: string
  advertiseAddress?: string
  eventTtlMs?: number
  /** How long history is kept; 0: whatever its age. Default one hour. */
  compactionIntervalMs?: number
  runtimeConfig?: Record<string, string>
  /** "Gate=bool", set to something else than the default: none of them changes anything. */
  changedFeatureGates?: string[]
  /** Flags that were given and mean nothing here, with their dashes. */
  flagsWithoutEffect?: string[]

  /** Authentication. */
  clientCaFile?: string
  tokenAuthFile?: string
  anonymousAuth?: boolean
  /** Tokens of others. */
  authentication?: {
    /** An AuthenticationConfiguration, instead of `oidc`. */
    configFile?: string
    bootstrapTokens?: boolean
    /** A kubeconfig. */
    webhookConfigFile?: string
    webhookVersion?: 'v1beta1' | 'v1'
    webhookTtlMs?: number
    oidc?: {
      issuerUrl?: string
      clientId?: string
      caFile?: string
      usernameClaim?: string
      usernamePrefix?: string
      groupsClaim?: string
      groupsPrefix?: string
      requiredClaims?: Record<string, string>
      signingAlgorithms?: string[]
    }
  }
  serviceAccountIssuers?: string[]
  serviceAccountKeyFiles?: string[]
  serviceAccountSigningKeyFile?: string
  serviceAccountJwksUri?: string
  serviceAccountMaxTokenSeconds?: number
  apiAudiences?: string[]
  requestHeader?: {
    clientCaFile?: string
    allowedNames?: string[]
    usernameHeaders?: string[]
    uidHeaders?: string[]
    groupHeaders?: string[]
    extraHeaderPrefixes?: string[]
  }
  /** Who this server is to extension API servers; a certificate of the engine's own when absent. */
  proxyClientCertFile?: string
  proxyClientKeyFile?: string

  /** Default: Node, RBAC. */
  authorizationModes?: AuthorizationMode[]
  authorization?: {
    /** An AuthorizationConfiguration, instead of all others. */
    configFile?: string
    /** Of ABAC. */
    policyFile?: string
    /** A kubeconfig. */
    webhookConfigFile?: string
    webhookVersion?: 'v1beta1' | 'v1'
    authorizedTtlMs?: number
    unauthorizedTtlMs?: number
  }
  /** These, whatever runs by default. */
  onlyAdmissionPlugins?: string[]
  enableAdmissionPlugins?: string[]
  disableAdmissionPlugins?: string[]
  /** An AdmissionConfiguration of apiserver.config.k8s.io. */
  admissionConfigFile?: string

  audit?: {
    policyFile?: string
    /** "-": standard output. */
    logPath?: string
    maxAgeDays?: number
    maxBackups?: number
    /** 0: the default. */
    maxSizeMiB?: number
    /** `configFile`: a kubeconfig of the server that takes events. */
    webhook?: { configFile?: string; batchSize?: number; maxWaitMs?: number; bufferSize?: number }
  }

  /** Where objects are kept; absent: SQLite in the home. */
  etcd?: {
    servers?: string[]
    prefix?: string
    caFile?: string
    certFile?: string
    keyFile?: string
  }

  /** The cluster. */
  serviceCIDRs?: string[]
  nodePortRange?: { from: number; to: number }
  /** In the notation of kube-controller-manager's --controllers. */
  controllers?: string[]
  /** As kube-controller-manager is told; what is absent is upstream's default. */
  controllerSettings?: {
    allocateNodeCidrs?: boolean
    /** One range, or one of each family. */
    clusterCidrs?: string[]
    nodeMaskSize?: number
    nodeMaskSizeIPv4?: number
    nodeMaskSizeIPv6?: number
    evictions?: Partial<ControllerSettings['evictions']>
    nodeMonitorGraceMs?: number
    nodeStartupGraceMs?: number
    terminatedPods?: number
  }
  /** Default true. */
  scheduler?: boolean
  /** Of controllers and scheduler, where several engines share one etcd. */
  leaderElection?: {
    /** Default true. */
    elect?: boolean
    leaseDurationMs?: number
    renewDeadlineMs?: number
    retryPeriodMs?: number
  }
  /** A KubeSchedulerConfiguration. */
  schedulerConfigFile?: string
}
