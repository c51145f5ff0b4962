// Flags of kube-apiserver about the server as a whole, its logs, and what stands around it.
import { parseRuntimeConfig } from '../runtime-config.ts'
import { badValue, count, duration, type EngineFlag, flag, list, parseAddress, parseOneOf } from './flag.ts'
import { parseFeatureGates } from './feature-gates.ts'

export const generic: readonly EngineFlag[] = [
  {
    ...flag(
      'feature-gates',
      'gate=bool,…',
      'gates of Kubernetes 1.36; all are known, defaults are what is done',
      (o, text) => {
        o.changedFeatureGates = [...(o.changedFeatureGates ?? []), ...parseFeatureGates(text)]
      },
    ),
    repeatable: true,
  },
  {
    ...flag(
      'runtime-config',
      'key=bool,…',
      'what is served: api/all, api/ga, api/beta, api/alpha, group/version',
      (o, text) => {
        o.runtimeConfig = { ...o.runtimeConfig, ...parseRuntimeConfig(text) }
      },
    ),
    repeatable: true,
  },
  flag('emulated-version', 'version', 'only 1.36 is served; another one is taken, and has no effect', (o, text) => {
    const version = text.replace(/^kube=/, '')
    if (!/^1\.3[3-6]$/.test(version))
      throw badValue('emulated-version', text, 'not one of kube=1.33..1.36', 'Leave it out: 1.36 is what is served.')
    if (version !== '1.36') o.flagsWithoutEffect = [...(o.flagsWithoutEffect ?? []), '--emulated-version']
  }),
  duration('request-timeout', 'time a request may take unless it is a watch or a stream (default: 1m0s)', (o, ms) => {
    o.requestTimeoutMs = ms
  }),
  count(
    'min-request-timeout',
    'seconds a watch lasts at least when its client names no end (default: 1800)',
    (o, value) => {
      o.minRequestTimeoutSeconds = value
    },
  ),
  flag(
    'goaway-chance',
    'fraction',
    'of HTTP/2 requests after which the client is asked to connect anew, 0 to .02',
    (o, text) => {
      const chance = Number(text)
      if (text === '' || Number.isNaN(chance)) {
        const why = `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`
        throw badValue('goaway-chance', text, why, 'Give a number from 0 to 0.02.')
      }
      if (chance < 0 || chance > 0.02)
        throw badValue(
          'goaway-chance',
          text,
          '--goaway-chance can not be less than 0 or greater than 0.02',
          'Give a number from 0 to 0.02.',
        )
      o.goawayChance = chance
    },
  ),
  duration('shutdown-delay-duration', 'time between /readyz failing and the end of service (default: 0s)', (o, ms) => {
    o.shutdownDelayMs = ms
  }),
  list('cors-allowed-origins', 'regexps', 'origins of web pages that may use this API', (o, items) => {
    for (const item of items) requireRegExp(item)
    o.corsAllowedOrigins = [...(o.corsAllowedOrigins ?? []), ...items]
  }),
  list('strict-transport-security-directives', 'directives', 'for the Strict-Transport-Security header', (o, items) => {
    o.strictTransportSecurity = items
  }),
  flag('external-hostname', 'name', 'a name of this server, in its certificate and for Host headers', (o, text) => {
    o.externalHostname = text
  }),
  flag(
    'advertise-address',
    'address',
    'address at which other members reach this server, in its certificate',
    (o, text) => {
      o.advertiseAddress = parseAddress('advertise-address', text)
    },
  ),
]

function requireRegExp(text: string): void {
  try {
    new RegExp(text)
  } catch {
    throw badValue(
      'cors-allowed-origins',
      text,
      'is not a regular expression',
      'Write, for example, ^https://example\\.com$.',
    )
  }
}

export const kubernetesObjects: readonly EngineFlag[] = [
  duration('event-ttl', 'how long events are kept (default: 1h0m0s)', (o, ms) => {
    o.eventTtlMs = ms
  }),
  duration(
    'etcd-compaction-interval',
    'how long old versions of objects are kept, for watches and pages that go on; 0 keeps as many as fit (default: 1h0m0s)',
    (o, ms) => {
      o.compactionIntervalMs = ms
    },
  ),
  flag(
    'storage-backend',
    'name',
    'etcd3 is the only name there is; what stores is said by --etcd-servers',
    (_o, text) => {
      if (text !== '' && text !== 'etcd3')
        throw badValue(
          'storage-backend',
          text,
          `--storage-backend invalid, allowed values: etcd3. If not specified, it will default to 'etcd3'`,
          'Leave it out.',
        )
    },
  ),
  flag(
    'storage-media-type',
    'type',
    'JSON is what is stored; the other types are taken and have no effect',
    (o, text) => {
      const type = parseOneOf('storage-media-type', text, [
        'application/json',
        'application/yaml',
        'application/vnd.kubernetes.protobuf',
        'application/cbor',
      ])
      if (type !== 'application/json') o.flagsWithoutEffect = [...(o.flagsWithoutEffect ?? []), '--storage-media-type']
    },
  ),
]

export const serviceAccounts: readonly EngineFlag[] = [
  flag(
    'service-account-jwks-uri',
    'url',
    "where others find the keys of service account tokens (default: the issuer's)",
    (o, text) => {
      if (text !== '' && !text.startsWith('https://'))
        throw badValue(
          'service-account-jwks-uri',
          text,
          'service-account-jwks-uri requires https scheme',
          'Give an https URL.',
        )
      o.serviceAccountJwksUri = text
    },
  ),
  duration('service-account-max-token-expiration', 'longest life of a service account token', (o, ms) => {
    if (ms !== 0 && (ms < 3_600_000 || ms > 2 ** 32 * 1000))
      throw badValue(
        'service-account-max-token-expiration',
        `${String(ms / 1000)}s`,
        'the service-account-max-token-expiration must be between 1 hour and 2^32 seconds',
        'Write, for example, 24h.',
      )
    o.serviceAccountMaxTokenSeconds = ms / 1000
  }),
]

export const logging: readonly EngineFlag[] = [
  {
    ...count('v', 'how much is logged: from 4 on details too (default: 0)', (o, value) => {
      if (value >= 4) o.logLevel = 'debug'
    }),
    short: 'v',
  },
  flag('logging-format', 'name', 'text or json; lines are JSON', (_o, text) => {
    parseOneOf('logging-format', text, ['text', 'json'])
  }),
]

/** What start scripts of kube-apiserver carry and is decided here. */
export const startScripts: readonly EngineFlag[] = [
  flag(
    'kubernetes-service-node-port',
    'port',
    'taken; the kubernetes Service has a cluster address only',
    (o, text) => {
      if (text !== '0') o.flagsWithoutEffect = [...(o.flagsWithoutEffect ?? []), '--kubernetes-service-node-port']
    },
  ),
]
