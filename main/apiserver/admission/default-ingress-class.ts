// DefaultIngressClass: ingresses that name no class get the default one.
import type { Ingress } from '../../../common/api/generated/types.ts'
import type { KubeObject } from '../../../common/machinery/meta.ts'
import { lookupAll } from '../registry/context.ts'
import { type AdmissionPlugin, concerns, isCreate } from './admission.ts'
import { newestDefault } from './default-class.ts'

export const defaultIngressClass: AdmissionPlugin = {
  name: 'DefaultIngressClass',
  concerns: concerns('networking.k8s.io', 'ingresses'),
  mutate(attributes) {
    if (!isCreate(attributes)) return false
    const ingress = attributes.object as KubeObject & Ingress
    const annotated = (ingress.metadata.annotations?.['kubernetes.io/ingress.class'] ?? '') !== ''
    if (ingress.spec?.ingressClassName !== undefined || annotated) return false
    const classes = lookupAll(attributes.registry, 'networking.k8s.io', 'ingressclasses').map(({ object }) => object)
    const found = newestDefault(classes, ['ingressclass.kubernetes.io/is-default-class'])
    if (found === undefined) return false
    ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name ?? '' }
    return true
  },
}
