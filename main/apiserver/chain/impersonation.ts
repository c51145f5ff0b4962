// Acting as somebody else (kubectl --as, --as-group, --as-uid, --as-user-extra): each part of the other identity must be allowed.
import { badRequest } from '../../../common/machinery/status.ts'
import type { HttpRequest, UserInfo } from '../apiserver.ts'
import { anonymous } from '../auth/authenticator.ts'
import { type AuthorizerChain, forbiddenError } from '../auth/authorizer.ts'
import { extraKey, headerValues } from '../auth/request-header.ts'

const extraPrefix = 'impersonate-extra-'
const authenticated = 'system:authenticated'
const unauthenticated = 'system:unauthenticated'

/** Undefined when the request impersonates nobody. Throws 403, and 400 for parts of an identity without a user. */
export function impersonatedUser(
  req: HttpRequest,
  user: UserInfo,
  authorizer: AuthorizerChain,
): undefined | Promise<UserInfo> {
  const { 'impersonate-user': name, 'impersonate-group': anyGroup, 'impersonate-uid': uid } = req.headers
  const extraHeaders = Object.keys(req.headers).filter((header) => header.startsWith(extraPrefix))
  if (name === undefined && anyGroup === undefined && uid === undefined && extraHeaders.length === 0) return undefined
  const groups = headerValues(req, 'impersonate-group').filter((group) => group !== '')
  return impersonate(wantedIdentity(req, groups, extraHeaders), user, authorizer)
}

interface WantedIdentity {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

function wantedIdentity(req: HttpRequest, groups: readonly string[], extraHeaders: readonly string[]): WantedIdentity {
  const one = (header: string): string => headerValues(req, header)[0] ?? ''
  const name = one('impersonate-user')
  const uid = one('impersonate-uid')
  const extra: Record<string, string[]> = {}
  for (const header of extraHeaders) extra[extraKey(header.slice(extraPrefix.length))] = headerValues(req, header)
  if (name === '') {
    const parts = [
      ...groups.map((group) => `{Group  ${group}  v1  }`),
      ...Object.entries(extra).flatMap(([key, values]) =>
        values.map((value) => `{UserExtra  ${value} authentication.k8s.io/v1  ${key}}`),
      ),
      ...(uid === '' ? [] : [`{UID  ${uid} authentication.k8s.io/v1  }`]),
    ]
    // Upstream says 500 to this, though it is the request that is wrong.
    throw badRequest(`requested [${parts.join(' ')}] without impersonating a user`)
  }
  return { name, uid, groups, extra }
}

async function impersonate(
  { name, uid, groups, extra }: WantedIdentity,
  user: UserInfo,
  authorizer: AuthorizerChain,
): Promise<UserInfo> {
  const require = async (
    group: string,
    resource: string,
    target: string,
    more: { namespace?: string; subresource?: string } = {},
  ): Promise<void> => {
    const { namespace = '', subresource = '' } = more
    const asked = { user, verb: 'impersonate', group, version: 'v1', resource, subresource, namespace, name: target }
    const decision = await authorizer.decide(asked)
    if (!decision.allowed) throw forbiddenError(asked, decision.reason)
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  if (account === null) await require('', 'users', name)
  else await require('', 'serviceaccounts', account[2] ?? '', { namespace: account[1] ?? '' })
  for (const group of groups) await require('', 'groups', group)
  for (const [key, values] of Object.entries(extra))
    for (const value of values) await require('authentication.k8s.io', 'userextras', value, { subresource: key })
  if (uid !== '') await require('authentication.k8s.io', 'uids', uid)
  return {
    name,
    groups: impliedGroups(name, groups, account?.[1]),
    ...(uid === '' ? {} : { uid }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
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
