// What every node agent may do, whichever node it is; secrets, configMaps and accounts are decided object by object.
import { rule } from './rules.ts'

export const nodeRules = [
  rule('create', 'authentication.k8s.io', 'tokenreviews'),
  rule('create', 'authorization.k8s.io', 'subjectaccessreviews localsubjectaccessreviews'),
  rule('get list watch', 'core', 'services'),
  rule('create get list watch', 'core', 'nodes'),
  rule('update patch', 'core', 'nodes nodes/status'),
  rule('create patch update', 'core events.k8s.io', 'events'),
  rule('get list watch', 'core', 'pods'),
  rule('create delete', 'core', 'pods'),
  rule('update patch', 'core', 'pods/status'),
  rule('create', 'core', 'pods/eviction'),
  rule('get list watch', 'core', 'endpoints persistentvolumes persistentvolumeclaims namespaces'),
  rule('get list watch', 'discovery.k8s.io', 'endpointslices'),
  rule('create get list watch update patch delete', 'coordination.k8s.io', 'leases'),
  rule('get list watch', 'node.k8s.io', 'runtimeclasses'),
  rule('get list watch', 'storage.k8s.io', 'csidrivers volumeattachments'),
  rule('get list watch', 'networking.k8s.io', 'networkpolicies'),
  rule('get list watch create', 'certificates.k8s.io', 'certificatesigningrequests'),
]
