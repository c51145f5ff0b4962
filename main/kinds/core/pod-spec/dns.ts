// Validation of a pod's DNS settings and host aliases.
import type { HostAlias, PodDNSConfig } from '../../../../common/api/generated/types.ts'
import { invalidValue, required, type FieldError } from '../../../../common/machinery/field-error.ts'
import { checkAddress } from '../../validation/ip.ts'
import { checkName, isDnsSubdomain } from '../../validation/names.ts'

// What libc resolvers can take.
const maxNameservers = 3
const maxSearches = 32
const maxSearchCharacters = 2048

export function checkDns(
  errors: FieldError[],
  path: string,
  config: PodDNSConfig | undefined,
  policy: string | undefined,
): void {
  if (policy === 'None') {
    if (config === undefined) {
      errors.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'))
      return
    }
    if ((config.nameservers ?? []).length === 0) {
      errors.push(required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
      return
    }
  }
  const { nameservers = [], searches = [], options = [] } = config ?? {}
  if (nameservers.length > maxNameservers) {
    errors.push(
      invalidValue(`${path}.nameservers`, nameservers, `must not have more than ${String(maxNameservers)} nameservers`),
    )
  }
  nameservers.forEach((server, index) => {
    checkAddress(errors, `${path}.nameservers[${String(index)}]`, server)
  })
  if (searches.length > maxSearches) {
    errors.push(
      invalidValue(`${path}.searches`, searches, `must not have more than ${String(maxSearches)} search paths`),
    )
  }
  if (searches.join(' ').length > maxSearchCharacters) {
    const detail = `must not have more than ${String(maxSearchCharacters)} characters (including spaces) in the search list`
    errors.push(invalidValue(`${path}.searches`, searches, detail))
  }
  searches.forEach((search, index) => {
    // "." alone and underscores are allowed since 1.34.
    if (search === '.') return
    const plain = search.replace(/\.$/, '')
    if (isDnsSubdomain(plain.replaceAll('_', 'a')).length > 0) {
      checkName(errors, `${path}.searches[${String(index)}]`, plain, isDnsSubdomain)
    }
  })
  options.forEach(({ name }, index) => {
    if (!name) errors.push(required(`${path}.options[${String(index)}]`, 'must not be empty'))
  })
}

export function checkHostAliases(errors: FieldError[], path: string, aliases: readonly HostAlias[]): void {
  aliases.forEach(({ ip, hostnames = [] }, index) => {
    const at = `${path}[${String(index)}]`
    checkAddress(errors, `${at}.ip`, ip)
    hostnames.forEach((hostname, position) => {
      checkName(errors, `${at}.hostnames[${String(position)}]`, hostname, isDnsSubdomain)
    })
  })
}
