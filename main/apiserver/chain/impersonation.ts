// Acting as somebody else (kubectl --as, --as-group, --as-uid, --as-user-extra): each part of the other identity must be allowed.
import { badRequest } from '../../../common/machinery/status.ts'
import type { HttpRequest, UserInfo } from '../apiserver.ts'
import { anonymous } from '../auth/authenticator.ts'
import { type Authorizer, forbiddenError } from '../auth/authorizer.ts'
import { extraKey, headerValues } from '../auth/request-header.ts'

const extraPrefix = 'impersonate-extra-'
const authenticated = 'system:authenticated'
const unauthenticated = 'system:unauthenticated'

/** Undefined when the request impersonates nobody. Throws 400 and 403. */
export function impersonatedUser(req: HttpRequest, user: UserInfo, authorizer: Authorizer): UserInfo | undefined {
  const { 'impersonate-user': name, 'impersonate-group': anyGroup, 'impersonate-uid': uid } = req.headers
  const extraHeaders = Object.keys(req.headers).filter((header) => header.startsWith(extraPrefix))
  if (name === undefined && anyGroup === undefined && uid === undefined && extraHeaders.length === 0) return undefined
  if (typeof name !== 'string' || name === '')
    throw badRequest(
      `requested [${[
        ...headerValues(req, 'impersonate-group').map((group) => `{Group  ${group}  authentication.k8s.io/v1  }`),
        ...extraHeaders,
      ].join(' ')}] without impersonating a user`,
    )
  const require = (
    group: string,
    resource: string,
    target: string,
    more: { namespace?: string; subresource?: string } = {},
  ): void => {
    const { namespace = '', subresource = '' } = more
    const attributes = {
      user,
      verb: 'impersonate',
      group,
      version: 'v1',
      resource,
      subresource,
      namespace,
      name: target,
    }
    const decision = authorizer.authorize(attributes)
    if (!decision.allowed) throw forbiddenError(attributes, decision.reason)
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  if (account === null) require('', 'users', name)
  else require('', 'serviceaccounts', account[2] ?? '', { namespace: account[1] ?? '' })
  const groups = headerValues(req, 'impersonate-group').filter((group) => group !== '')
  for (const group of groups) require('', 'groups', group)
  const extra: Record<string, string[]> = {}
  for (const header of extraHeaders) {
    const key = extraKey(header.slice(extraPrefix.length))
    extra[key] = headerValues(req, header)
    for (const value of extra[key]) require('authentication.k8s.io', 'userextras', value, { subresource: key })
  }
  if (typeof uid === 'string' && uid !== '') require('authentication.k8s.io', 'uids', uid)
  return {
    name,
    groups: impliedGroups(name, groups, account?.[1]),
    ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    ...(extraHeaders.length === 0 ? {} : { extra }),
  }
}

/** Service accounts bring their groups along; everybody is either authenticated or not. */
function impliedGroups(name: string, given: readonly string[], namespace: string | undefined): string[] {
  const groups =
    namespace !== undefined && given.length === 0
      ? ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
      : [...given]
  if (groups.includes(authenticated) || groups.includes(unauthenticated)) return groups
  return [...groups, name === anonymous.name ? unauthenticated : authenticated]
}
