// Labels and annotations on sandboxes and containers: how an agent that starts again finds its pods. Same names as a kubelet writes,
// so that crictl and other tools understand them.
export const labels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const

export const annotations = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  /** Host file that is mounted at the termination message path. */
  terminationMessageFile: 'dev.orrery.container.terminationMessageFile',
} as const
