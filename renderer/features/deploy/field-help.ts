// One sentence for each field of the form.
import type { FieldId } from './deploy-form.ts'

const help: Readonly<Record<string, string>> = {
  image:
    'The program to run, as an image the lab has. The tag after the colon is the version; without one it is "latest".',
  name: 'What the Deployment is called. Pods, labels and the Service are named after it; lower-case letters, digits and dashes.',
  namespace: 'The space for names it lives in. Other namespaces reach its Service as name.namespace.',
  replicas: 'How many identical pods should run at any time. If one dies, another is made.',
  port: 'The port the program listens on inside its container. Leave empty if it takes no connections.',
  service: 'A Service gives the pods one stable name and address, and spreads connections over those that are ready.',
  servicePort: 'The port others connect to. It may differ from the one the program listens on.',
  arch: 'Restricts the pods to machines of one architecture (a nodeSelector). "Any" lets the scheduler choose among machines the image is built for.',
  cpuRequest: 'Reserved for each pod: only a node with this much CPU not yet promised is chosen. 1000m is one CPU.',
  cpuLimit: 'The most each pod may use; above it the program is slowed down, not stopped. Empty means no limit.',
  memoryRequest: 'Reserved for each pod: only a node with this much memory not yet promised is chosen.',
  memoryLimit: 'The most each pod may use; above it the kernel kills the program (OOMKilled).',
  env: "A variable in the program's environment: how most images take their settings.",
}

export const fieldHelp = (field: FieldId | ''): string =>
  field.startsWith('env') ? (help['env'] ?? '') : (help[field] ?? '')
