// Ingress: HTTP rules by host and path.
import type { HTTPIngressPath, Ingress, IngressBackend } from '../../../common/api/generated/types.ts'
import { invalidValue, notSupported, required, type FieldError } from '../../../common/machinery/field-error.ts'
import { validateWildcardDnsSubdomain } from '../../../common/machinery/names.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineKind } from '../kind.ts'
import { dropStatus, mainDoor, statusDoor } from '../strategy.ts'
import { checkAddress, isAddress } from '../validation/ip.ts'
import { checkName, isDnsLabel, isDnsSubdomain, isPathSegment, isPortName } from '../validation/names.ts'
import { checkPort } from '../validation/values.ts'

const classAnnotation = 'kubernetes.io/ingress.class'

export const ingress = defineKind('networking.k8s.io/v1/ingresses', {
  shortNames: ['ing'],
  prepareForCreate: dropStatus,
  setDefaults: (object) => {
    object.spec ??= {}
    object.status ??= {}
    object.status.loadBalancer ??= {}
  },
  validate,
  update: mainDoor(),
  status: statusDoor({
    validate: ({ status }) => {
      const errors: FieldError[] = []
      status?.loadBalancer?.ingress?.forEach(({ ip = '', hostname = '' }, index) => {
        const path = `status.loadBalancer.ingress[${String(index)}]`
        if (ip !== '') checkAddress(errors, `${path}.ip`, ip)
        if (hostname !== '') checkName(errors, `${path}.hostname`, hostname, isDnsSubdomain)
        if (isAddress(hostname))
          errors.push(invalidValue(`${path}.hostname`, hostname, 'must be a DNS name, not an IP address'))
      })
      return errors
    },
  }),
  warnings: ({ metadata }) =>
    metadata.annotations?.[classAnnotation] === undefined
      ? []
      : [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`],
  columns: [
    nameColumn,
    { name: 'Class', type: 'string', cell: ({ spec }) => spec?.ingressClassName ?? '<none>' },
    { name: 'Hosts', type: 'string', cell: hosts },
    {
      name: 'Address',
      type: 'string',
      cell: ({ status }) => {
        const all = (status?.loadBalancer?.ingress ?? [])
          .map(({ ip, hostname }) => ip || hostname || '')
          .filter((text) => text !== '')
        return [...new Set(all)].sort().join(',')
      },
    },
    { name: 'Ports', type: 'string', cell: ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80') },
    ageColumn,
  ],
})

function hosts({ spec }: Ingress): string {
  const rules = spec?.rules ?? []
  const named = rules.map((rule) => rule.host ?? '').filter((host) => host !== '')
  if (named.length === 0) return '*'
  const shown = named.slice(0, 3).join(',')
  return named.length > 3 ? `${shown} + ${String(rules.length - 3)} more...` : shown
}

function validate({ metadata, spec = {} }: Ingress): FieldError[] {
  const errors: FieldError[] = []
  const { rules = [], defaultBackend, tls = [], ingressClassName } = spec
  if (rules.length === 0 && defaultBackend === undefined) {
    errors.push(invalidValue('spec', rules, 'either `defaultBackend` or `rules` must be specified'))
  }
  if (defaultBackend !== undefined) checkBackend(errors, 'spec.defaultBackend', defaultBackend)
  rules.forEach(({ host = '', http }, index) => {
    const path = `spec.rules[${String(index)}]`
    if (host !== '') {
      if (isAddress(host)) errors.push(invalidValue(`${path}.host`, host, 'must be a DNS name, not an IP address'))
      checkHost(errors, `${path}.host`, host)
    }
    if (http === undefined) return
    const paths = http.paths ?? []
    if (paths.length === 0) errors.push(required(`${path}.http.paths`))
    paths.forEach((entry, position) => {
      checkPath(errors, `${path}.http.paths[${String(position)}]`, entry)
    })
  })
  tls.forEach(({ hosts: names = [], secretName = '' }, index) => {
    names.forEach((host, position) => {
      checkHost(errors, `spec.tls[${String(index)}].hosts[${String(position)}]`, host)
    })
    if (secretName !== '') checkName(errors, `spec.tls[${String(index)}].secretName`, secretName, isDnsSubdomain)
  })
  if (ingressClassName !== undefined) checkName(errors, 'spec.ingressClassName', ingressClassName, isDnsSubdomain)
  const annotated = metadata.annotations?.[classAnnotation]
  if (
    metadata.resourceVersion === undefined &&
    annotated !== undefined &&
    ingressClassName !== undefined &&
    annotated !== ingressClassName
  ) {
    errors.push(
      invalidValue(
        `annotations.${classAnnotation}`,
        annotated,
        'must match `ingressClassName` when both are specified',
      ),
    )
  }
  return errors
}

const checkHost = (errors: FieldError[], path: string, host: string): void => {
  checkName(errors, path, host, host.includes('*') ? validateWildcardDnsSubdomain : isDnsSubdomain)
}

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']

function checkPath(errors: FieldError[], at: string, { path = '', pathType, backend }: HTTPIngressPath): void {
  if (pathType === undefined) {
    errors.push(required(`${at}.pathType`, 'pathType must be specified'))
    return
  }
  const refuse = (detail: string): void => {
    errors.push(invalidValue(`${at}.path`, path, detail))
  }
  if (!pathTypes.includes(pathType)) errors.push(notSupported(`${at}.pathType`, pathType, pathTypes))
  else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) refuse('must be an absolute path')
  } else {
    if (!path.startsWith('/')) refuse('must be an absolute path')
    for (const part of ['//', '/./', '/../', '%2f', '%2F'])
      if (path.includes(part)) refuse(`must not contain '${part}'`)
    for (const end of ['/..', '/.']) if (path.endsWith(end)) refuse(`cannot end with '${end}'`)
  }
  checkBackend(errors, `${at}.backend`, backend)
}

function checkBackend(errors: FieldError[], path: string, backend: IngressBackend | undefined): void {
  const { resource, service } = backend ?? {}
  if (resource !== undefined && service !== undefined) {
    errors.push(invalidValue(path, '', 'cannot set both resource and service backends'))
  } else if (resource !== undefined) {
    if (resource.apiGroup !== undefined)
      checkName(errors, `${path}.resource.apiGroup`, resource.apiGroup, isDnsSubdomain)
    for (const field of ['kind', 'name'] as const) {
      if (!resource[field]) errors.push(required(`${path}.resource.${field}`))
      else checkName(errors, `${path}.resource.${field}`, resource[field], isPathSegment)
    }
  } else if (service !== undefined) {
    if (!service.name) errors.push(required(`${path}.service.name`))
    else checkName(errors, `${path}.service.name`, service.name, isDnsLabel)
    const { name = '', number = 0 } = service.port ?? {}
    if (name !== '' && number !== 0) errors.push(invalidValue(path, '', 'cannot set both port name & port number'))
    else if (name !== '') checkName(errors, `${path}.service.port.name`, name, isPortName)
    else if (number !== 0) checkPort(errors, `${path}.service.port.number`, number)
    else errors.push(required(path, 'port name or number is required'))
  } else {
    errors.push(invalidValue(path, '', 'resource or service backend is required'))
  }
}
