// The flow schemas and priority levels that Kubernetes comes with: the mandatory ones, and the suggested ones for its own parts.
import type {
  FlowcontrolV1Subject as Subject,
  FlowSchema,
  FlowSchemaSpec,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from '../../kinds/flowcontrol/mandatory.ts'

/** "true": the spec is kept as it is here, "false": a person decides about it. */
export const autoUpdateAnnotation = 'apf.kubernetes.io/autoupdate-spec'
export const flowControlGroup = 'flowcontrol.apiserver.k8s.io'
const apiVersion = 'flowcontrol.apiserver.k8s.io/v1'

const level = (
  nominalConcurrencyShares: number,
  lendablePercent: number,
  [queues, handSize]: readonly [number, number],
): PriorityLevelConfigurationSpec => ({
  type: 'Limited',
  limited: {
    nominalConcurrencyShares,
    lendablePercent,
    limitResponse: { type: 'Queue', queuing: { queues, handSize, queueLengthLimit: 50 } },
  },
})

const levels: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  ...mandatoryPriorityLevels,
  system: level(30, 33, [64, 6]),
  'node-high': level(40, 25, [64, 6]),
  'leader-election': level(10, 0, [16, 4]),
  'workload-high': level(40, 50, [128, 6]),
  'workload-low': level(100, 90, [128, 6]),
  'global-default': level(20, 50, [128, 6]),
}

const user = (name: string): Subject => ({ kind: 'User', user: { name } })
const group = (name: string): Subject => ({ kind: 'Group', group: { name } })
const account = (name: string, namespace = 'kube-system'): Subject => ({
  kind: 'ServiceAccount',
  serviceAccount: { namespace, name },
})

const everything: Omit<PolicyRulesWithSubjects, 'subjects'> = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}

const on = (
  verbs: string[],
  [apiGroup, ...resources]: readonly string[],
  { namespaces = ['*'], clusterScope = false } = {},
): Omit<PolicyRulesWithSubjects, 'subjects'> => ({
  resourceRules: [
    {
      verbs,
      apiGroups: [apiGroup ?? ''],
      resources,
      namespaces,
      ...(clusterScope ? { clusterScope } : {}),
    },
  ],
})

const schema = (
  priorityLevel: string,
  matchingPrecedence: number,
  method: 'ByUser' | 'ByNamespace' | undefined,
  rules: PolicyRulesWithSubjects[],
): FlowSchemaSpec => ({
  priorityLevelConfiguration: { name: priorityLevel },
  matchingPrecedence,
  ...(method === undefined ? {} : { distinguisherMethod: { type: method } }),
  rules,
})

const controllerManager = user('system:kube-controller-manager')
const scheduler = user('system:kube-scheduler')
const everybody = [group('system:unauthenticated'), group('system:authenticated')]
const leases = ['coordination.k8s.io', 'leases']
const lead = ['get', 'create', 'update']

const schemas: Readonly<Record<string, FlowSchemaSpec>> = {
  ...mandatoryFlowSchemas,
  probes: schema('exempt', 2, undefined, [
    { subjects: everybody, nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] },
  ]),
  'system-leader-election': schema('leader-election', 100, 'ByUser', [
    { subjects: [controllerManager, scheduler], ...on(lead, leases, { namespaces: ['kube-system'] }) },
  ]),
  'endpoint-controller': schema('workload-high', 150, 'ByUser', [
    {
      subjects: [controllerManager, account('endpoint-controller'), account('endpointslicemirroring-controller')],
      ...on(lead, ['', 'endpoints']),
    },
  ]),
  'workload-leader-election': schema('leader-election', 200, 'ByUser', [
    { subjects: [account('*')], ...on(lead, leases) },
  ]),
  'system-node-high': schema('node-high', 400, 'ByUser', [
    { subjects: [group('system:nodes')], ...on(['*'], ['', 'nodes', 'nodes/status'], { clusterScope: true }) },
    { subjects: [group('system:nodes')], ...on(['*'], leases) },
  ]),
  'system-nodes': schema('system', 500, 'ByUser', [{ subjects: [group('system:nodes')], ...everything }]),
  'kube-controller-manager': schema('workload-high', 800, 'ByNamespace', [
    { subjects: [controllerManager], ...everything },
  ]),
  'kube-scheduler': schema('workload-high', 800, 'ByNamespace', [{ subjects: [scheduler], ...everything }]),
  'kube-system-service-accounts': schema('workload-high', 900, 'ByNamespace', [
    { subjects: [account('*')], ...everything },
  ]),
  'service-accounts': schema('workload-low', 9000, 'ByUser', [
    { subjects: [group('system:serviceaccounts')], ...everything },
  ]),
  'global-default': schema('global-default', 9900, 'ByUser', [{ subjects: everybody, ...everything }]),
}

export interface FlowControlObject {
  readonly plural: 'prioritylevelconfigurations' | 'flowschemas'
  readonly object: KubeObject
}

export function flowControlObjects(): FlowControlObject[] {
  const metadata = (name: string): KubeObject['metadata'] => ({
    name,
    annotations: { [autoUpdateAnnotation]: 'true' },
  })
  return [
    ...Object.entries(levels).map(([name, spec]): FlowControlObject => {
      const object: PriorityLevelConfiguration = {
        apiVersion,
        kind: 'PriorityLevelConfiguration',
        metadata: metadata(name),
        spec,
      }
      return { plural: 'prioritylevelconfigurations', object }
    }),
    ...Object.entries(schemas).map(([name, spec]): FlowControlObject => {
      const object: FlowSchema = { apiVersion, kind: 'FlowSchema', metadata: metadata(name), spec }
      return { plural: 'flowschemas', object }
    }),
  ]
}
