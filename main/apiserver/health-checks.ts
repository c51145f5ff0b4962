// The checks of this server. Their names are upstream's, because people exclude checks by name and monitoring asks for them by name:
// each step of the start stands under the names of the hooks that do it there.
import type { HealthCheck } from './health.ts'

export type StartStep = 'policy' | 'customResources' | 'aggregation' | 'flowControl'

const hooks: Readonly<Record<StartStep, readonly string[]>> = {
  policy: [
    'start-kube-apiserver-admission-initializer',
    'generic-apiserver-start-informers',
    'rbac/bootstrap-roles',
    'scheduling/bootstrap-system-priority-classes',
    'start-system-namespaces-controller',
    'bootstrap-controller',
  ],
  customResources: ['start-apiextensions-informers', 'start-apiextensions-controllers', 'crd-informer-synced'],
  aggregation: [
    'start-cluster-authentication-info-controller',
    'start-kube-aggregator-informers',
    'apiservice-registration-controller',
    'apiservice-status-local-available-controller',
    'apiservice-status-remote-available-controller',
    'apiservice-discovery-controller',
    'kube-apiserver-autoregistration',
    'apiservice-openapi-controller',
    'apiservice-openapiv3-controller',
  ],
  flowControl: [
    'priority-and-fairness-config-consumer',
    'priority-and-fairness-config-producer',
    'priority-and-fairness-filter',
  ],
}

export interface HealthFacts {
  readonly done: ReadonlySet<StartStep>
  readonly storeAnswers: () => boolean
  readonly closing: () => boolean
}

export function healthChecks({ done, storeAnswers, closing }: HealthFacts): HealthCheck[] {
  const after = (step: StartStep) => (): string | undefined => (done.has(step) ? undefined : 'not finished')
  const store = (): string | undefined => (storeAnswers() ? undefined : 'the store is closed')
  return [
    { name: 'ping', check: () => undefined },
    { name: 'log', check: () => undefined },
    // Whatever the store is.
    { name: 'etcd', check: store },
    { name: 'etcd-readiness', readyOnly: true, check: store },
    { name: 'informer-sync', readyOnly: true, check: after('aggregation') },
    ...(Object.keys(hooks) as StartStep[]).flatMap((step) =>
      hooks[step].map((name) => ({ name: `poststarthook/${name}`, check: after(step) })),
    ),
    { name: 'autoregister-completion', check: after('aggregation') },
    { name: 'shutdown', readyOnly: true, check: () => (closing() ? 'process is shutting down' : undefined) },
  ]
}
