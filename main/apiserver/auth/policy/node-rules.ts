// What every node agent may do, whichever node it is. What belongs to single nodes or their pods is decided object by object.
import { rule } from './rules.ts'

export const nodeRules = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews localsubjectaccessreviews'),
  rule('get list watch', 'core', 'services'),
  rule('create get list watch', 'core', 'nodes'),
  rule('update patch', 'core', 'nodes/status'),
  rule('update patch', 'core', 'nodes'),
  rule('create update patch', 'core', 'events'),
  rule('get list watch', 'core', 'pods'),
  rule('create delete', 'core', 'pods'),
  rule('update patch', 'core', 'pods/status'),
  rule('create', 'core', 'pods/eviction'),
  rule('get list watch', 'core', 'secrets configmaps'),
  rule('get', 'core', 'persistentvolumeclaims persistentvolumes'),
  rule('get', 'core', 'endpoints'),
  rule('create get list watch', 'certificates.k8s.io', 'certificatesigningrequests'),
  rule('get create update patch delete', 'coordination.k8s.io', 'leases'),
  rule('get', 'storage.k8s.io', 'volumeattachments'),
  rule('create', 'core', 'serviceaccounts/token'),
  rule('get update patch', 'core', 'persistentvolumeclaims/status'),
  rule('get list watch', 'storage.k8s.io', 'csidrivers'),
  rule('get create update patch delete', 'storage.k8s.io', 'csinodes'),
  rule('get list watch', 'node.k8s.io', 'runtimeclasses'),
  rule('get', 'resource.k8s.io', 'resourceclaims'),
  rule('deletecollection', 'resource.k8s.io', 'resourceslices'),
  rule('get', 'core', 'serviceaccounts'),
]

/** What this program's node agents do besides: they are proxy, name server and network policy of their node as well. */
export const nodeAgentRules = [
  rule('get list watch', 'core', 'nodes pods endpoints namespaces persistentvolumes persistentvolumeclaims'),
  rule('get list watch', 'discovery.k8s.io', 'endpointslices'),
  rule('list watch', 'coordination.k8s.io', 'leases'),
  rule('get list watch', 'storage.k8s.io', 'volumeattachments'),
  rule('get list watch', 'networking.k8s.io', 'networkpolicies'),
]
