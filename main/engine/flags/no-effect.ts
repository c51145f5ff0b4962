// Flags of kube-apiserver, kube-controller-manager and kube-scheduler that mean nothing here. They are taken, so that what starts those
// starts this; their values are checked, and the log names them once.
import type { EngineFlag, FlagSection } from './flag.ts'
import { badValue, flag, parseBoolean, parseDuration } from './flag.ts'

type Check = (name: string, text: string) => void

const integer: Check = (name, text) => {
  if (!/^[+-]?\d+$/.test(text))
    throw badValue(
      name,
      text,
      `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`,
      `Write --${name}=100, for example.`,
    )
}
const fraction: Check = (name, text) => {
  if (text.trim() === '' || Number.isNaN(Number(text)))
    throw badValue(
      name,
      text,
      `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`,
      `Write --${name}=0.5, for example.`,
    )
}
const checks: Readonly<Record<string, Check>> = {
  bool: parseBoolean,
  duration: parseDuration,
  n: integer,
  number: fraction,
  text: () => undefined,
}

/** Lines of `type: names`. */
function section(title: string, why: string, types: Readonly<Record<string, string>>): FlagSection {
  return {
    title,
    flags: Object.entries(types).flatMap(([type, names]) =>
      names
        .trim()
        .split(/\s+/)
        .map((name): EngineFlag => ({
          ...flag(name, type, why, (options, text) => {
            checks[type]?.(name, text)
            options.flagsWithoutEffect = [...(options.flagsWithoutEffect ?? []), `--${name}`]
          }),
          repeatable: true,
        })),
    ),
  }
}

export const withoutEffect: readonly FlagSection[] = [
  section('Of kube-apiserver, without effect here:', 'taken, without effect', {
    bool: `
      emulation-forward-compatible runtime-config-emulation-forward-compatible shutdown-send-retry-after
      enable-garbage-collector encryption-provider-config-automatic-reload watch-cache
      permit-address-sharing permit-port-sharing profiling contention-profiling
      audit-log-batch-throttle-enable audit-log-compress audit-log-truncate-enabled
      audit-webhook-batch-throttle-enable audit-webhook-truncate-enabled
      service-account-extend-token-expiration service-account-lookup
      log-json-split-stream log-text-split-stream aggregator-reject-forwarding-redirect enable-aggregator-routing
      enable-logs-handler`,
    n: `
      default-not-ready-toleration-seconds default-unreachable-toleration-seconds
      delete-collection-workers default-watch-cache-size lease-reuse-duration-seconds
      audit-log-batch-buffer-size audit-log-batch-max-size audit-log-batch-throttle-burst audit-log-truncate-max-batch-size
      audit-log-truncate-max-event-size
      audit-webhook-batch-throttle-burst
      audit-webhook-truncate-max-batch-size audit-webhook-truncate-max-event-size
      apiserver-count kubelet-port kubelet-read-only-port max-connection-bytes-per-sec`,
    number: `audit-log-batch-throttle-qps audit-webhook-batch-throttle-qps`,
    duration: `
      livez-grace-period shutdown-watch-termination-grace-period
      etcd-count-metric-poll-period etcd-db-metric-poll-interval etcd-healthcheck-timeout
      etcd-readycheck-timeout storage-initialization-timeout
      audit-log-batch-max-wait audit-webhook-batch-initial-backoff
      audit-webhook-initial-backoff
      log-flush-frequency kubelet-timeout
      coordinated-leadership-lease-duration coordinated-leadership-renew-deadline coordinated-leadership-retry-period`,
    text: `
      min-compatibility-version debug-socket-path
      etcd-servers-overrides watch-cache-sizes
      tls-curve-preferences
      audit-log-format audit-log-version audit-webhook-version
      allow-metric-labels allow-metric-labels-manifest disabled-metrics show-hidden-metrics-for-version
      log-json-info-buffer-size log-text-info-buffer-size vmodule tracing-config-file
      endpoint-reconciler-type
      kubelet-certificate-authority kubelet-client-certificate kubelet-client-key kubelet-preferred-address-types
      peer-advertise-ip peer-advertise-port peer-ca-file`,
  }),
  section('Of kube-controller-manager and kube-scheduler, without effect here:', 'taken, without effect', {
    bool: `
      configure-cloud-routes authentication-skip-lookup authentication-tolerate-lookup-failure
      enable-dynamic-provisioning enable-hostpath-provisioner enable-leader-migration
      use-service-account-credentials`,
    n: `
      concurrent-cron-job-syncs concurrent-daemonset-syncs concurrent-deployment-syncs concurrent-endpoint-syncs
      concurrent-device-taint-eviction-syncs concurrent-ephemeralvolume-syncs concurrent-gc-syncs concurrent-horizontal-pod-autoscaler-syncs concurrent-job-syncs
      concurrent-namespace-syncs concurrent-rc-syncs concurrent-resource-claim-syncs concurrent-replicaset-syncs concurrent-resource-quota-syncs
      concurrent-service-endpoint-syncs concurrent-service-syncs concurrent-serviceaccount-token-syncs
      concurrent-statefulset-syncs concurrent-ttl-after-finished-syncs concurrent-validating-admission-policy-status-syncs
      concurrent-volumeattributesclass-protection-syncs kube-api-burst max-endpoints-per-slice
      mirroring-concurrent-service-endpoint-syncs mirroring-max-endpoints-per-subset
      pv-recycler-increment-timeout-nfs
      pv-recycler-minimum-timeout-hostpath pv-recycler-minimum-timeout-nfs pv-recycler-timeout-increment-hostpath`,
    number: `horizontal-pod-autoscaler-tolerance kube-api-qps`,
    duration: `
      attach-detach-reconcile-sync-period cluster-signing-duration
      controller-shutdown-timeout controller-start-interval endpoint-updates-batch-period endpointslice-updates-batch-period
      horizontal-pod-autoscaler-cpu-initialization-period horizontal-pod-autoscaler-downscale-stabilization
      horizontal-pod-autoscaler-initial-readiness-delay horizontal-pod-autoscaler-sync-period
      legacy-service-account-token-clean-up-period min-resync-period mirroring-endpointslice-updates-batch-period
      namespace-sync-period node-monitor-period pod-max-in-unschedulable-pods-duration
      pvclaimbinder-sync-period resource-quota-sync-period route-reconciliation-period`,
    text: `
      authentication-kubeconfig authorization-always-allow-paths authorization-kubeconfig cidr-allocator-type cloud-config
      cloud-provider cluster-name cluster-signing-cert-file cluster-signing-key-file
      cluster-signing-kube-apiserver-client-cert-file cluster-signing-kube-apiserver-client-key-file
      cluster-signing-kubelet-client-cert-file cluster-signing-kubelet-client-key-file
      cluster-signing-kubelet-serving-cert-file cluster-signing-kubelet-serving-key-file
      cluster-signing-legacy-unknown-cert-file cluster-signing-legacy-unknown-key-file config
      external-cloud-volume-plugin flex-volume-plugin-dir kube-api-content-type kubeconfig leader-elect-resource-lock
      leader-elect-resource-name leader-elect-resource-namespace leader-migration-config master
      pv-recycler-pod-template-filepath-hostpath pv-recycler-pod-template-filepath-nfs root-ca-file
      service-account-private-key-file volume-host-cidr-denylist write-config-to`,
  }),
]
