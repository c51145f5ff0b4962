// NetworkPolicy: who may talk to whom.
import type { IPBlock, NetworkPolicyPeer, NetworkPolicyPort } from '../../../common/api/generated/types.ts'
import { forbiddenField, invalidValue, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { ageColumn, nameColumn, selectorCell } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { familyOf, rangeOf } from '../../../common/machinery/addresses.ts'
import { checkCidr, isCidr } from '../validation/ip.ts'
import { checkLabelSelector } from '../validation/label-selector.ts'
import { checkName, isPortName } from '../validation/names.ts'
import { checkPort, unsupported } from '../validation/values.ts'

export const networkPolicy = defineKind('networking.k8s.io/v1/networkpolicies', {
  shortNames: ['netpol'],
  setDefaults: (object) => {
    object.spec ??= {}
    const { spec } = object
    spec.podSelector ??= {}
    for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])])
      for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    spec.policyTypes ??= (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
  },
  validate: ({ spec = {} }) => {
    const errors: FieldError[] = []
    checkLabelSelector(errors, 'spec.podSelector', spec.podSelector)
    spec.ingress?.forEach(({ ports = [], from = [] }, index) => {
      checkRule(errors, `spec.ingress[${String(index)}]`, { ports, peers: from, field: 'from' })
    })
    spec.egress?.forEach(({ ports = [], to = [] }, index) => {
      checkRule(errors, `spec.egress[${String(index)}]`, { ports, peers: to, field: 'to' })
    })
    const types = spec.policyTypes ?? []
    if (types.length > 2)
      return [...errors, invalidValue('spec.policyTypes', types, 'may not specify more than two policyTypes')]
    types.forEach((type, index) => {
      if (type !== 'Ingress' && type !== 'Egress') {
        errors.push(unsupported(`spec.policyTypes[${String(index)}]`, type, ['Ingress', 'Egress']))
      }
    })
    return errors
  },
  columns: [
    nameColumn,
    { name: 'Pod-Selector', type: 'string', cell: ({ spec }) => selectorCell(spec?.podSelector) },
    ageColumn,
  ],
})

function checkRule(
  errors: FieldError[],
  path: string,
  {
    ports,
    peers,
    field,
  }: { ports: readonly NetworkPolicyPort[]; peers: readonly NetworkPolicyPeer[]; field: 'from' | 'to' },
): void {
  ports.forEach((port, index) => {
    checkPolicyPort(errors, `${path}.ports[${String(index)}]`, port)
  })
  peers.forEach(({ podSelector, namespaceSelector, ipBlock }, index) => {
    const at = `${path}.${field}[${String(index)}]`
    checkLabelSelector(errors, `${at}.podSelector`, podSelector)
    checkLabelSelector(errors, `${at}.namespaceSelector`, namespaceSelector)
    if (ipBlock !== undefined) checkBlock(errors, `${at}.ipBlock`, ipBlock)
    const selectors = podSelector !== undefined || namespaceSelector !== undefined
    if (!selectors && ipBlock === undefined) errors.push(required(at, 'must specify a peer'))
    if (selectors && ipBlock !== undefined)
      errors.push(forbiddenField(at, 'may not specify both ipBlock and another peer'))
  })
}

function checkPolicyPort(errors: FieldError[], path: string, { protocol, port, endPort }: NetworkPolicyPort): void {
  const protocols = ['TCP', 'UDP', 'SCTP']
  if (protocol !== undefined && !protocols.includes(protocol))
    errors.push(unsupported(`${path}.protocol`, protocol, protocols))
  if (typeof port === 'number') {
    checkPort(errors, `${path}.port`, port)
    if (endPort === undefined) return
    if (endPort < port) errors.push(invalidValue(`${path}.endPort`, endPort, 'must be greater than or equal to `port`'))
    checkPort(errors, `${path}.endPort`, endPort)
    return
  }
  if (endPort !== undefined) {
    const why =
      port === undefined
        ? 'may not be specified when `port` is not specified'
        : 'may not be specified when `port` is non-numeric'
    errors.push(invalidValue(`${path}.endPort`, endPort, why))
  }
  if (port !== undefined) checkName(errors, `${path}.port`, port, isPortName)
}

function checkBlock(errors: FieldError[], path: string, { cidr, except = [] }: IPBlock): void {
  if (!cidr) {
    errors.push(required(`${path}.cidr`))
    return
  }
  checkCidr(errors, `${path}.cidr`, cidr)
  except.forEach((part, index) => {
    const at = `${path}.except[${String(index)}]`
    checkCidr(errors, at, part)
    if (isCidr(cidr) && isCidr(part) && !isStrictSubset(part, cidr))
      errors.push(invalidValue(at, part, 'must be a strict subset of `cidr`'))
  })
}

function isStrictSubset(part: string, whole: string): boolean {
  if (familyOf(part) !== familyOf(whole)) return false
  if (Number(part.split('/')[1]) <= Number(whole.split('/')[1])) return false
  const [inner, outer] = [rangeOf(part), rangeOf(whole)]
  return inner.first >= outer.first && inner.first + inner.size <= outer.first + outer.size
}
