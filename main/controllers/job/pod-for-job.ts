import type { Container, Job, Pod } from '../../../common/api/generated/types.ts'
import { podFromTemplate } from '../pods/pod-from-template.ts'
import { indexAnnotation, trackingFinalizer } from './facts.ts'
import type { NewPod } from './replicas.ts'

const indexVariable = 'JOB_COMPLETION_INDEX'

/** A pod of the job; with an index it knows which part of the work is its own. */
export function podForJob(job: Job, { index, annotations }: NewPod): Pod {
  const pod = podFromTemplate(job.spec?.template ?? {}, job)
  const finalizers = [
    ...(pod.metadata.finalizers ?? []).filter((finalizer) => finalizer !== trackingFinalizer),
    trackingFinalizer,
  ]
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } }
  const { spec } = pod
  const jobName = job.metadata.name ?? ''
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers,
      generateName: `${jobName}-${String(index)}-`,
      labels: { ...pod.metadata.labels, [indexAnnotation]: String(index) },
      annotations: { ...pod.metadata.annotations, ...annotations, [indexAnnotation]: String(index) },
    },
    spec: {
      ...spec,
      hostname: `${jobName}-${String(index)}`.slice(0, 63),
      containers: (spec?.containers ?? []).map(withIndex),
      ...(spec?.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(withIndex) }),
    },
  }
}

function withIndex(container: Container): Container {
  const env = container.env ?? []
  if (env.some(({ name }) => name === indexVariable)) return container
  return {
    ...container,
    env: [
      ...env,
      {
        name: indexVariable,
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.annotations['${indexAnnotation}']` } },
      },
    ],
  }
}
