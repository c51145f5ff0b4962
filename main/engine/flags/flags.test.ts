import { describe, expect, it } from 'vitest'
import type { EngineOptions } from '../options.ts'
import { engineFlags } from './index.ts'

function read(...args: readonly [string, string][]): EngineOptions {
  const options: EngineOptions = { home: '/h', cache: '/c', machines: false, foreground: true, logLevel: 'info' }
  for (const [name, text] of args) engineFlags.find((flag) => flag.name === name)?.set(options, text)
  return options
}

describe('flags of the engine', () => {
  it('set what they say', () => {
    expect(
      read(
        ['bind-address', '127.0.0.1'],
        ['secure-port', '6444'],
        ['authorization-mode', 'Node,RBAC'],
        ['disable-admission-plugins', 'ServiceAccount, ResourceQuota'],
        ['controllers', '*,-daemonset'],
        ['service-node-port-range', '31000-31999'],
        ['anonymous-auth', 'false'],
        ['tls-min-version', 'VersionTLS13'],
        ['tls-cipher-suites', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
        ['audit-log-path', '-'],
        ['audit-log-maxsize', '5'],
        ['scheduler', ''],
      ),
    ).toMatchObject({
      listen: { host: '127.0.0.1', port: 6444 },
      authorizationModes: ['Node', 'RBAC'],
      disableAdmissionPlugins: ['ServiceAccount', 'ResourceQuota'],
      controllers: ['*', '-daemonset'],
      nodePortRange: { from: 31000, to: 31999 },
      anonymousAuth: false,
      tlsMinVersion: 'TLSv1.3',
      tlsCipherSuites: ['ECDHE-ECDSA-AES128-GCM-SHA256'],
      audit: { logPath: '-', maxSizeMiB: 5 },
      scheduler: true,
    })
  })

  it('take addresses in every form', () => {
    expect(read(['listen', '[::1]:0']).listen).toEqual({ host: '::1', port: 0 })
    expect(read(['secure-port', '0']).listen).toEqual({ host: '127.0.0.1', port: 0 })
  })

  it.each([
    ['listen', 'nowhere'],
    ['event-ttl', '5'],
    ['etcd-compaction-interval', 'soon'],
    ['goaway-chance', '0.5'],
    ['kube-api-qps', 'fast'],
    ['default-watch-cache-size', 'large'],
    ['listen', '0.0.0.0:7443'],
    ['bind-address', 'everywhere'],
    ['secure-port', '70000'],
    ['authorization-mode', 'Sometimes'],
    ['anonymous-auth', 'perhaps'],
    ['service-node-port-range', '5-1'],
    ['service-cluster-ip-range', '10.0.0.0/33'],
    ['service-cluster-ip-range', '10.0.0.0/16,10.1.0.0/16'],
    ['service-cluster-ip-range', 'fd00::/48'],
    ['cluster-cidr', '10.0.0.0'],
    ['node-eviction-rate', 'often'],
    ['tls-cipher-suites', 'ROT13'],
    ['max-requests-inflight', 'many'],
    ['audit-policy-file', ''],
    ['etcd-servers', '127.0.0.1:2379'],
    ['allow-privileged', 'maybe'],
    ['advertise-address', 'here'],
    ['storage-media-type', 'text/plain'],
    ['storage-backend', 'etcd2'],
    // Protection that is not built must not seem to be there.
    ['encryption-provider-config', '/etc/encryption.yaml'],
    ['egress-selector-config-file', '/etc/egress.yaml'],
    ['service-account-signing-endpoint', '/run/signer.sock'],
    ['audit-log-mode', 'blocking-strict'],
    ['audit-webhook-mode', 'blocking'],
    ['allow-privileged', 'false'],
  ])('name themselves when the value is wrong: --%s %s', (name, text) => {
    expect(() => read([name, text])).toThrow(new RegExp(`--${name}`))
  })

  it('that mean nothing here are taken and remembered', () => {
    const options = read(['watch-cache', 'false'], ['use-service-account-credentials', ''], ['event-ttl', '1h30m'])
    expect(options).toMatchObject({
      eventTtlMs: 5_400_000,
      flagsWithoutEffect: ['--watch-cache', '--use-service-account-credentials'],
    })
  })

  it('are those that suites pass to kube-apiserver', () => {
    const passed = `
      admission-control-config-file advertise-address allow-privileged authorization-mode bind-address cert-dir client-ca-file disable-admission-plugins
      enable-admission-plugins etcd-cafile etcd-certfile etcd-keyfile etcd-prefix etcd-servers feature-gates
      kubelet-client-certificate kubelet-client-key kubelet-preferred-address-types max-mutating-requests-inflight
      max-requests-inflight proxy-client-cert-file proxy-client-key-file requestheader-allowed-names
      requestheader-client-ca-file requestheader-extra-headers-prefix requestheader-group-headers
      requestheader-username-headers runtime-config secure-port service-account-issuer service-account-key-file
      service-account-signing-key-file service-cluster-ip-range tls-cert-file tls-private-key-file token-auth-file
      tracing-config-file v vmodule default-watch-cache-size enable-priority-and-fairness audit-policy-file audit-log-path`
    const known = new Set(engineFlags.map(({ name }) => name))
    expect(
      passed
        .trim()
        .split(/\s+/)
        .filter((name) => !known.has(name)),
    ).toEqual([])
  })

  it('of controllers become their settings', () => {
    const { controllerSettings } = read(
      ['allocate-node-cidrs', 'true'],
      ['cluster-cidr', 'fd00:1::5/48,10.1.0.0/16'],
      ['node-cidr-mask-size-ipv4', '25'],
      ['node-monitor-grace-period', '5s'],
      ['secondary-node-eviction-rate', '0.5'],
    )
    expect(controllerSettings).toEqual({
      allocateNodeCidrs: true,
      clusterCidrs: ['fd00:1::/48', '10.1.0.0/16'],
      nodeMaskSizeIPv4: 25,
      nodeMonitorGraceMs: 5_000,
      evictions: { perSecondInTrouble: 0.5 },
    })
  })

  it('have names that no two share', () => {
    expect(new Set(engineFlags.map(({ name }) => name)).size).toBe(engineFlags.length)
  })
})
