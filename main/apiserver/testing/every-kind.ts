// One valid manifest of every built-in kind that is stored, by resource name: for tests that go through all of them.
import type { ResourceTypes } from '../../../common/api/generated/resources.ts'
import { fullPod, simpleSpec, simpleTemplate } from '../../kinds/testing/pods.ts'

/** A request of "ada" for a certificate. */
const certificateRequest =
  'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIV01INENBUUF3SERFTU1Bb0dBMVVFQ2d3RFpHVjJNUXd3Q2dZRFZRUUREQU5oWkdFd1dUQVRCZ2NxaGtqTwpQUUlCQmdncWhrak9QUU1CQndOQ0FBVFlJbmVUM1lBWGc3d3E2Ly9mZUZwV0Y0VXMvdXMzcCtZcGphamdjOEtyCkQ0TmUvRys1OTNZeGNsZFZlQklBWVpCNGpxQjdOci9hdE9KelRXUnl2YUpFb0FBd0NnWUlLb1pJemowRUF3SUQKU0FBd1JRSWdRT0JwWmFnaTdJVFRZNU5SdHQ1b1dNdlNJdm84T01MM2p2Nldwd3dGd1NRQ0lRQzhPM3FOY2dpQQpqeU51M1ZOTCtDUWI5bEpIWk8wUy9oRWRBN3ZGdjlud05nPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUgUkVRVUVTVC0tLS0tCg=='

const rule = { operations: ['CREATE'], apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['things'] }
const webhook = {
  name: 'things.example.com',
  clientConfig: { url: 'https://example.com/check' },
  rules: [rule],
  failurePolicy: 'Ignore',
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
}
const match = { resourceRules: [rule] }
const selector = { matchLabels: { app: 'web' } }
const devices = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpu.example.com' } }] }

/** Without apiVersion, kind and name. */
export const manifests: Partial<Record<keyof ResourceTypes, Record<string, unknown>>> = {
  'v1/configmaps': { data: { a: '1' } },
  'v1/endpoints': { subsets: [{ addresses: [{ ip: '10.9.9.9' }], ports: [{ port: 80 }] }] },
  'v1/events': { involvedObject: { kind: 'Pod', namespace: 'default', name: 'x' }, reason: 'Test', type: 'Normal' },
  'v1/limitranges': { spec: { limits: [{ type: 'Container', max: { cpu: '1' } }] } },
  'v1/namespaces': {},
  'v1/nodes': { spec: { unschedulable: true } },
  'v1/persistentvolumeclaims': {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
  'v1/persistentvolumes': {
    spec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/data' } },
  },
  'v1/pods': { spec: { ...(fullPod().spec as object), activeDeadlineSeconds: undefined } },
  'v1/podtemplates': { template: simpleTemplate() },
  'v1/replicationcontrollers': { spec: { template: simpleTemplate() } },
  'v1/resourcequotas': { spec: { hard: { 'count/things.example.com': '5' } } },
  'v1/secrets': { stringData: { a: '1' } },
  'v1/serviceaccounts': {},
  'v1/services': { spec: { ports: [{ port: 80 }] } },
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicies': {
    spec: {
      matchConstraints: match,
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }],
    },
  },
  'admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings': { spec: { policyName: 'none' } },
  'admissionregistration.k8s.io/v1/mutatingwebhookconfigurations': { webhooks: [webhook] },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicies': {
    spec: { matchConstraints: match, validations: [{ expression: 'true' }] },
  },
  'admissionregistration.k8s.io/v1/validatingadmissionpolicybindings': {
    spec: { policyName: 'none', validationActions: ['Warn'] },
  },
  'admissionregistration.k8s.io/v1/validatingwebhookconfigurations': { webhooks: [webhook] },
  'apiextensions.k8s.io/v1/customresourcedefinitions': {
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  },
  'apiregistration.k8s.io/v1/apiservices': {
    metadata: { name: 'v1.extension.example.com' },
    spec: {
      group: 'extension.example.com',
      version: 'v1',
      groupPriorityMinimum: 10,
      versionPriority: 10,
      service: { namespace: 'default', name: 'extension' },
      insecureSkipTLSVerify: true,
    },
  },
  'apps/v1/controllerrevisions': { revision: 1, data: { a: 1 } },
  'apps/v1/daemonsets': { spec: { selector, template: simpleTemplate() } },
  'apps/v1/deployments': { spec: { selector, template: simpleTemplate() } },
  'apps/v1/replicasets': { spec: { selector, template: simpleTemplate() } },
  'apps/v1/statefulsets': { spec: { selector, serviceName: 'web', template: simpleTemplate() } },
  'autoscaling/v1/horizontalpodautoscalers': {
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
  },
  'autoscaling/v2/horizontalpodautoscalers': {
    spec: { maxReplicas: 3, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
  },
  'batch/v1/cronjobs': {
    spec: {
      schedule: '@daily',
      jobTemplate: { spec: { template: { spec: { ...simpleSpec(), restartPolicy: 'Never' } } } },
    },
  },
  'batch/v1/jobs': { spec: { template: { spec: { ...simpleSpec(), restartPolicy: 'Never' } } } },
  'certificates.k8s.io/v1/certificatesigningrequests': {
    spec: { request: certificateRequest, signerName: 'example.com/signer', usages: ['client auth'] },
  },
  'coordination.k8s.io/v1/leases': { spec: { holderIdentity: 'me', leaseDurationSeconds: 15 } },
  'discovery.k8s.io/v1/endpointslices': { addressType: 'IPv4', endpoints: [{ addresses: ['10.9.9.9'] }], ports: [] },
  'events.k8s.io/v1/events': {
    regarding: { kind: 'Pod', namespace: 'default', name: 'x' },
    eventTime: '2030-01-01T00:00:00.000000Z',
    reason: 'Test',
    action: 'Testing',
    type: 'Normal',
    reportingController: 'example.com/test',
    reportingInstance: 'here',
  },
  'flowcontrol.apiserver.k8s.io/v1/flowschemas': {
    spec: {
      priorityLevelConfiguration: { name: 'exempt' },
      rules: [
        {
          subjects: [{ kind: 'User', user: { name: 'ada' } }],
          nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }],
        },
      ],
    },
  },
  'flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations': {
    spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } },
  },
  'networking.k8s.io/v1/ingressclasses': { spec: { controller: 'example.com/ingress' } },
  'networking.k8s.io/v1/ingresses': {
    spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
  },
  'networking.k8s.io/v1/ipaddresses': {
    metadata: { name: '10.96.200.1' },
    spec: { parentRef: { group: 'example.com', resource: 'things', name: 'x' } },
  },
  'networking.k8s.io/v1/networkpolicies': { spec: { podSelector: {} } },
  'networking.k8s.io/v1/servicecidrs': { spec: { cidrs: ['10.200.0.0/24'] } },
  'node.k8s.io/v1/runtimeclasses': { handler: 'crun' },
  'policy/v1/poddisruptionbudgets': { spec: { minAvailable: 1, selector: { matchLabels: { app: 'nobody' } } } },
  'rbac.authorization.k8s.io/v1/clusterrolebindings': {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'User', name: 'ada', apiGroup: 'rbac.authorization.k8s.io' }],
  },
  'rbac.authorization.k8s.io/v1/clusterroles': { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  'rbac.authorization.k8s.io/v1/rolebindings': {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'User', name: 'ada', apiGroup: 'rbac.authorization.k8s.io' }],
  },
  'rbac.authorization.k8s.io/v1/roles': { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  'resource.k8s.io/v1/deviceclasses': { spec: { selectors: [{ cel: { expression: 'device.driver == "x"' } }] } },
  'resource.k8s.io/v1/resourceclaims': { spec: { devices } },
  'resource.k8s.io/v1/resourceclaimtemplates': { spec: { spec: { devices } } },
  'resource.k8s.io/v1/resourceslices': {
    spec: {
      driver: 'gpu.example.com',
      pool: { name: 'n', generation: 1, resourceSliceCount: 1 },
      nodeName: 'n',
      devices: [{ name: 'gpu-0', attributes: { model: { string: 'X' } }, capacity: { memory: { value: '80Gi' } } }],
    },
  },
  'scheduling.k8s.io/v1/priorityclasses': { value: 5 },
  'storage.k8s.io/v1/csidrivers': { spec: {} },
  'storage.k8s.io/v1/csinodes': { spec: { drivers: [{ name: 'disk.example.com', nodeID: 'n' }] } },
  'storage.k8s.io/v1/csistoragecapacities': { storageClassName: 'fast', capacity: '1Gi' },
  'storage.k8s.io/v1/storageclasses': { provisioner: 'example.com/disk' },
  'storage.k8s.io/v1/volumeattachments': {
    spec: { attacher: 'disk.example.com', nodeName: 'n', source: { persistentVolumeName: 'pv' } },
  },
  'storage.k8s.io/v1/volumeattributesclasses': { driverName: 'disk.example.com', parameters: { speed: 'high' } },
}
