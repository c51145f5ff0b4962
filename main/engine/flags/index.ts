// The one table of flags: the command and its --help are made from it. Names and meaning are upstream's wherever upstream has the flag.
import { controllerFlags } from './controllers.ts'
import { parseServiceRanges } from '../cluster-network.ts'
import { tokenFlags } from './authentication.ts'
import { authorizationFlags } from './authorization.ts'
import type { EngineOptions } from '../options.ts'
import { parseCipherSuites } from './cipher-suites.ts'
import {
  badValue,
  bool,
  count,
  duration,
  type EngineFlag,
  file,
  flag,
  type FlagSection,
  list,
  parseAddress,
  parseBoolean,
  parseCount,
  parseFile,
  parseListen,
  parseOneOf,
} from './flag.ts'
import { generic, kubernetesObjects, logging, serviceAccounts, startScripts } from './generic.ts'
import { leaderElection } from './leader-election.ts'
import { withoutEffect } from './no-effect.ts'
import { refusedFlags } from './refused.ts'

export type { EngineFlag, FlagSection } from './flag.ts'

/** "crt,key" or "crt,key:name,*.name". */
function parseNamedCertificate(text: string): NonNullable<EngineOptions['namedCertificates']>[number] {
  const colon = text.indexOf(':')
  const [certFile = '', keyFile = '', ...more] = (colon < 0 ? text : text.slice(0, colon)).split(',')
  if (certFile === '' || keyFile === '' || more.length > 0)
    throw badValue(
      'tls-sni-cert-key',
      text,
      'expected comma separated certificate and key file paths',
      'Write --tls-sni-cert-key=foo.crt,foo.key:foo.example.com.',
    )
  return { certFile, keyFile, names: colon < 0 ? [] : text.slice(colon + 1).split(',') }
}

const serving: readonly EngineFlag[] = [
  flag(
    'listen',
    'host:port',
    'loopback address to serve on (default: the one used before, else 127.0.0.1:7443 or a free port)',
    (o, text) => {
      o.listen = parseListen(text)
    },
  ),
  flag(
    'bind-address',
    'address',
    'address to serve on, with --secure-port (default there: 6443); loopback unless this says otherwise',
    (o, text) => {
      o.listen = { port: 6443, ...o.listen, host: parseAddress('bind-address', text) }
    },
  ),
  flag('secure-port', 'port', 'port to serve on, 0 for any free one; with --bind-address', (o, text) => {
    const port = parseCount('secure-port', text)
    if (port > 65535) throw badValue('secure-port', text, 'is not a port', 'Ports go from 0 (any free one) to 65535.')
    o.listen = { host: '127.0.0.1', ...o.listen, port }
  }),
  file('tls-cert-file', "server certificate with its chain (default: one of the engine's own authority)", (o, path) => {
    o.tlsCertFile = path
  }),
  file('tls-private-key-file', 'key of --tls-cert-file', (o, path) => {
    o.tlsPrivateKeyFile = path
  }),
  flag(
    'cert-dir',
    'dir',
    'where apiserver.crt and apiserver.key are, or are written; without meaning beside --tls-cert-file',
    (o, text) => {
      o.certDir = parseFile('cert-dir', text)
    },
  ),
  flag('tls-min-version', 'version', 'VersionTLS12 (default) or VersionTLS13', (o, text) => {
    // What is older than 1.2 is not spoken, whatever is asked for.
    const version = parseOneOf('tls-min-version', text, [
      'VersionTLS10',
      'VersionTLS11',
      'VersionTLS12',
      'VersionTLS13',
    ])
    o.tlsMinVersion = version === 'VersionTLS13' ? 'TLSv1.3' : 'TLSv1.2'
  }),
  flag('tls-cipher-suites', 'names', 'cipher suites to offer, by their IANA names', (o, text) => {
    o.tlsCipherSuites = parseCipherSuites('tls-cipher-suites', text)
  }),
  {
    ...flag(
      'tls-sni-cert-key',
      'cert,key[:names]',
      'a further certificate, for clients that ask for one of its names',
      (o, text) => {
        o.namedCertificates = [...(o.namedCertificates ?? []), parseNamedCertificate(text)]
      },
    ),
    repeatable: true,
  },
  bool('disable-http2-serving', 'speak HTTP/1.1 only (default: false)', (o, value) => {
    o.http2 = !value
  }),
  count(
    'http2-max-streams-per-connection',
    'requests in one HTTP/2 connection at a time (default: 1000)',
    (o, value) => {
      if (value > 0) o.http2MaxStreams = value
    },
  ),
  count(
    'max-requests-inflight',
    'reads at work at a time (default: 400); with priority and fairness, the sum of both is what there is',
    (o, value) => {
      o.maxRequestsInflight = value
    },
  ),
  count('max-mutating-requests-inflight', 'writes at work at a time (default: 200)', (o, value) => {
    o.maxMutatingRequestsInflight = value
  }),
  flag(
    'enable-priority-and-fairness',
    'bool',
    'FlowSchemas decide whose requests wait when there are too many (default: true)',
    (o, text) => {
      o.priorityAndFairness = parseBoolean('enable-priority-and-fairness', text)
    },
  ),
]

const authentication: readonly EngineFlag[] = [
  file('client-ca-file', "authorities whose client certificates are accepted, besides the engine's own", (o, path) => {
    o.clientCaFile = path
  }),
  file('token-auth-file', 'static bearer tokens: CSV token,user,uid,"groups"', (o, path) => {
    o.tokenAuthFile = path
  }),
  flag('anonymous-auth', 'bool', 'requests without credentials are system:anonymous (default: true)', (o, text) => {
    o.anonymousAuth = parseBoolean('anonymous-auth', text)
  }),
  list('service-account-issuer', 'url', 'issuer of service account tokens; further ones are accepted', (o, items) => {
    o.serviceAccountIssuers = [...(o.serviceAccountIssuers ?? []), ...items]
  }),
  {
    ...file('service-account-key-file', 'public (or private) keys that verify service account tokens', (o, path) => {
      o.serviceAccountKeyFiles = [...(o.serviceAccountKeyFiles ?? []), path]
    }),
    repeatable: true,
  },
  file(
    'service-account-signing-key-file',
    "private key that signs service account tokens (default: one of the engine's own)",
    (o, path) => {
      o.serviceAccountSigningKeyFile = path
    },
  ),
  list('api-audiences', 'names', 'audiences of this API (default: the issuer)', (o, items) => {
    o.apiAudiences = [...(o.apiAudiences ?? []), ...items]
  }),
  file(
    'requestheader-client-ca-file',
    'authority of front proxies, whose X-Remote-… headers name the user',
    (o, path) => {
      o.requestHeader = { ...o.requestHeader, clientCaFile: path }
    },
  ),
  list('requestheader-allowed-names', 'names', 'common names front proxies may have (default: any)', (o, items) => {
    o.requestHeader = { ...o.requestHeader, allowedNames: [...(o.requestHeader?.allowedNames ?? []), ...items] }
  }),
  list('requestheader-username-headers', 'names', 'headers with the user (default: X-Remote-User)', (o, items) => {
    o.requestHeader = { ...o.requestHeader, usernameHeaders: items }
  }),
  list('requestheader-uid-headers', 'names', 'headers with the UID of the user (default: none)', (o, items) => {
    o.requestHeader = { ...o.requestHeader, uidHeaders: items }
  }),
  list('requestheader-group-headers', 'names', 'headers with groups (default: X-Remote-Group)', (o, items) => {
    o.requestHeader = { ...o.requestHeader, groupHeaders: items }
  }),
  list(
    'requestheader-extra-headers-prefix',
    'names',
    'prefixes of headers with more (default: X-Remote-Extra-)',
    (o, items) => {
      o.requestHeader = { ...o.requestHeader, extraHeaderPrefixes: items }
    },
  ),
]

const aggregation: readonly EngineFlag[] = [
  file(
    'proxy-client-cert-file',
    'certificate by which extension API servers know this one (default: an own one)',
    (o, path) => {
      o.proxyClientCertFile = path
    },
  ),
  file('proxy-client-key-file', 'key of --proxy-client-cert-file', (o, path) => {
    o.proxyClientKeyFile = path
  }),
]

const authorization: readonly EngineFlag[] = [
  ...authorizationFlags,
  list(
    'admission-control',
    'names',
    'deprecated: the admission plugins to run, in place of the default ones',
    (o, items) => {
      o.onlyAdmissionPlugins = [...(o.onlyAdmissionPlugins ?? []), ...items]
    },
  ),
  list('enable-admission-plugins', 'names', 'admission plugins to add to those that run by default', (o, items) => {
    o.enableAdmissionPlugins = [...(o.enableAdmissionPlugins ?? []), ...items]
  }),
  list('disable-admission-plugins', 'names', 'admission plugins not to run', (o, items) => {
    o.disableAdmissionPlugins = [...(o.disableAdmissionPlugins ?? []), ...items]
  }),
  file('admission-control-config-file', 'settings of admission plugins: an AdmissionConfiguration', (o, path) => {
    o.admissionConfigFile = path
  }),
]

const audit: readonly EngineFlag[] = [
  file('audit-policy-file', 'what to record: an audit.k8s.io/v1 Policy', (o, path) => {
    o.audit = { ...o.audit, policyFile: path }
  }),
  flag('audit-log-path', 'file', 'where to record it, as lines of JSON; "-" is standard output', (o, text) => {
    o.audit = { ...o.audit, logPath: text === '-' ? text : parseFile('audit-log-path', text) }
  }),
  count('audit-log-maxage', 'days to keep old audit logs (default: no limit)', (o, maxAgeDays) => {
    o.audit = { ...o.audit, maxAgeDays }
  }),
  count('audit-log-maxbackup', 'old audit logs to keep (default: no limit)', (o, maxBackups) => {
    o.audit = { ...o.audit, maxBackups }
  }),
  count('audit-log-maxsize', 'MiB after which an audit log is put aside (default: 100)', (o, maxSizeMiB) => {
    o.audit = { ...o.audit, maxSizeMiB }
  }),
  file('audit-webhook-config-file', 'kubeconfig of a server that takes audit events', (o, configFile) => {
    o.audit = { ...o.audit, webhook: { ...o.audit?.webhook, configFile } }
  }),
  count('audit-webhook-batch-max-size', 'events sent to it at a time (default: 400)', (o, batchSize) => {
    o.audit = { ...o.audit, webhook: { ...o.audit?.webhook, batchSize } }
  }),
  duration('audit-webhook-batch-max-wait', 'how long events wait for others (default: 30s)', (o, maxWaitMs) => {
    o.audit = { ...o.audit, webhook: { ...o.audit?.webhook, maxWaitMs } }
  }),
  count('audit-webhook-batch-buffer-size', 'events that wait at most (default: 10000)', (o, bufferSize) => {
    o.audit = { ...o.audit, webhook: { ...o.audit?.webhook, bufferSize } }
  }),
]

const storage: readonly EngineFlag[] = [
  list('etcd-servers', 'urls', 'keep objects in this etcd cluster (default: SQLite in the data folder)', (o, items) => {
    for (const url of items)
      if (!/^https?:\/\/[^/]+\/?$/.test(url))
        throw badValue('etcd-servers', url, 'is not a URL of etcd', 'Write, for example, http://127.0.0.1:2379.')
    o.etcd = { ...o.etcd, servers: [...(o.etcd?.servers ?? []), ...items] }
  }),
  flag('etcd-prefix', 'prefix', 'put before every key in etcd', (o, prefix) => {
    o.etcd = { ...o.etcd, prefix }
  }),
  file('etcd-cafile', 'authority of the servers of etcd', (o, caFile) => {
    o.etcd = { ...o.etcd, caFile }
  }),
  file('etcd-certfile', 'certificate by which etcd knows this client', (o, certFile) => {
    o.etcd = { ...o.etcd, certFile }
  }),
  file('etcd-keyfile', 'key of --etcd-certfile', (o, keyFile) => {
    o.etcd = { ...o.etcd, keyFile }
  }),
]

const cluster: readonly EngineFlag[] = [
  flag(
    'service-cluster-ip-range',
    'cidrs',
    'range for Services, or two: IPv4 and IPv6 (default: 10.96.0.0/16)',
    (o, text) => {
      try {
        o.serviceCIDRs = parseServiceRanges(text)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        throw badValue(
          'service-cluster-ip-range',
          text,
          why,
          'Write, for example, --service-cluster-ip-range=10.0.0.0/16 or 10.0.0.0/16,fd00:10::/108.',
        )
      }
    },
  ),
  flag(
    'service-node-port-range',
    'from-to',
    'ports for Services of type NodePort (default: 30000-32767)',
    (o, text) => {
      const [, from = '', to = ''] = /^(\d{1,5})-(\d{1,5})$/.exec(text) ?? []
      if (from === '' || Number(from) < 1 || Number(to) > 65535 || Number(from) > Number(to))
        throw badValue(
          'service-node-port-range',
          text,
          'is not a range of ports',
          'Write FROM-TO, for example 30000-32767.',
        )
      o.nodePortRange = { from: Number(from), to: Number(to) }
    },
  ),
  list(
    'controllers',
    'names',
    'controllers to run: "*" all that run by default, "name" that one too, "-name" not that one',
    (o, items) => {
      o.controllers = [...(o.controllers ?? []), ...items]
    },
  ),
  flag('scheduler', 'bool', 'run the scheduler (default: true)', (o, text) => {
    o.scheduler = parseBoolean('scheduler', text)
  }),
  file(
    'scheduler-config',
    "profiles of the scheduler: a KubeSchedulerConfiguration, kube-scheduler's --config",
    (o, path) => {
      o.schedulerConfigFile = path
    },
  ),
]

export const flagSections: readonly FlagSection[] = [
  { title: 'Generic flags:', flags: generic },
  { title: 'Etcd flags:', flags: [...storage, ...kubernetesObjects] },
  { title: 'Secure serving flags:', flags: serving },
  { title: 'Auditing flags:', flags: audit },
  { title: 'Authentication flags:', flags: [...authentication, ...tokenFlags, ...serviceAccounts] },
  { title: 'Authorization and admission flags:', flags: authorization },
  { title: 'Extension API server flags:', flags: aggregation },
  { title: 'Logs flags:', flags: logging },
  { title: 'Cluster flags:', flags: [...cluster, ...leaderElection, ...startScripts] },
  { title: 'Controller flags:', flags: controllerFlags },
  { title: 'Protection that is not built, and refused:', flags: refusedFlags },
  ...withoutEffect,
]

export const engineFlags: readonly EngineFlag[] = flagSections.flatMap(({ flags }) => flags)
