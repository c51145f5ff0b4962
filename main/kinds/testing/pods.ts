// Pod specs and templates that tests of several kinds use.
import type { Manifest } from './lifecycle.ts'

export const simpleSpec = (): Record<string, unknown> => ({ containers: [{ name: 'main', image: 'hello:1.0' }] })

export const simpleTemplate = (): Record<string, unknown> => ({
  metadata: { labels: { app: 'web' } },
  spec: simpleSpec(),
})

/** A pod that uses most of what a pod can say. */
export const fullPod = (): Manifest => ({
  metadata: { labels: { app: 'web' }, annotations: { 'example.com/Note': 'x' } },
  spec: {
    serviceAccountName: 'default',
    nodeSelector: { 'kubernetes.io/arch': 'arm64' },
    hostname: 'web-0',
    subdomain: 'web',
    terminationGracePeriodSeconds: 5,
    activeDeadlineSeconds: 100,
    securityContext: {
      runAsUser: 1000,
      fsGroup: 2000,
      supplementalGroups: [3000],
      seccompProfile: { type: 'RuntimeDefault' },
      sysctls: [{ name: 'net.core.somaxconn', value: '128' }],
    },
    tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 30 }],
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ],
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/os', operator: 'In', values: ['linux'] }] }],
        },
      },
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 50,
            podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } },
          },
        ],
      },
    },
    hostAliases: [{ ip: '10.1.2.3', hostnames: ['db.local'] }],
    dnsConfig: { nameservers: ['10.96.0.10'], searches: ['example.com.'], options: [{ name: 'ndots', value: '2' }] },
    readinessGates: [{ conditionType: 'example.com/ready' }],
    initContainers: [
      { name: 'setup', image: 'toolbox', command: ['true'] },
      { name: 'sidecar', image: 'toolbox:2', restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 80 } } },
    ],
    containers: [
      {
        name: 'main',
        image: 'hello@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [
          { name: 'PLAIN', value: 'x' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'APP', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          { name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'a' } } },
        ],
        envFrom: [{ configMapRef: { name: 'settings' }, prefix: 'S_' }],
        resources: { limits: { cpu: '500m', memory: '64Mi' }, requests: { cpu: '100m' } },
        livenessProbe: { httpGet: { port: 'http' } },
        readinessProbe: { exec: { command: ['true'] }, successThreshold: 2 },
        lifecycle: { preStop: { sleep: { seconds: 3 } } },
        securityContext: { capabilities: { drop: ['ALL'] }, allowPrivilegeEscalation: false },
        volumeMounts: [
          { name: 'scratch', mountPath: '/scratch', subPath: 'a/b' },
          { name: 'config', mountPath: '/etc/config', readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'scratch', emptyDir: { sizeLimit: '1Gi' } },
      { name: 'config', configMap: { name: 'settings', items: [{ key: 'a', path: 'a.txt' }] } },
      { name: 'secret', secret: { secretName: 'keys' } },
      { name: 'host', hostPath: { path: '/var/log' } },
      { name: 'claim', persistentVolumeClaim: { claimName: 'data' } },
      { name: 'plain' },
      {
        name: 'all',
        projected: {
          sources: [
            { serviceAccountToken: { path: 'token' } },
            { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
          ],
        },
      },
    ],
  },
})
