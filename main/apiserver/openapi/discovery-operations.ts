// The paths of discovery, version and token issuer as OpenAPI operations.
import { groupTitle, tagOf, titleCase } from './naming.ts'
import type { Paths } from './operations.ts'

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
/** Definitions the operations refer to. */
const versionSchema = 'io.k8s.apimachinery.pkg.version.Info'
export const discoverySchemas = [
  ...['APIVersions', 'APIGroupList', 'APIGroup', 'APIResourceList'].map((name) => `${meta}${name}`),
  versionSchema,
]

interface Document {
  readonly id: string
  readonly description: string
  readonly tag: string
  /** Name of a definition; "" for text. */
  readonly answers: string
}

function item({ id, description, tag, answers }: Document): Record<string, unknown> {
  const isText = answers === ''
  const isTyped = answers.startsWith(meta)
  const types = ['application/json', ...(isTyped ? ['application/yaml', 'application/vnd.kubernetes.protobuf'] : [])]
  return {
    get: {
      consumes: types,
      description,
      operationId: id,
      produces: types,
      responses: {
        200: {
          description: 'OK',
          schema: isText ? { type: 'string' } : { $ref: `#/definitions/${answers}` },
        },
        401: { description: 'Unauthorized' },
      },
      schemes: ['https'],
      tags: [tag],
    },
  }
}

/** Paths that exist whatever is served, by the name of their OpenAPI v3 document. */
export const fixedPaths: Readonly<Record<string, Paths>> = {
  api: {
    '/api/': item({
      id: 'getCoreAPIVersions',
      description: 'get available API versions',
      tag: 'core',
      answers: `${meta}APIVersions`,
    }),
  },
  apis: {
    '/apis/': item({
      id: 'getAPIVersions',
      description: 'get available API versions',
      tag: 'apis',
      answers: `${meta}APIGroupList`,
    }),
  },
  version: {
    '/version/': item({
      id: 'getCodeVersion',
      description: 'get the version information for this server',
      tag: 'version',
      answers: versionSchema,
    }),
  },
  '.well-known/openid-configuration': {
    '/.well-known/openid-configuration/': item({
      id: 'getServiceAccountIssuerOpenIDConfiguration',
      description: "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
      tag: 'WellKnown',
      answers: '',
    }),
  },
  'openid/v1/jwks': {
    '/openid/v1/jwks/': item({
      id: 'getServiceAccountIssuerOpenIDKeyset',
      description: 'get service account issuer OpenID JSON Web Key Set (contains public token verification keys)',
      tag: 'openid',
      answers: '',
    }),
  },
}

export function groupPath(group: string): Paths {
  return {
    [`/apis/${group}/`]: item({
      id: `get${groupTitle(group)}APIGroup`,
      description: 'get information of a group',
      tag: tagOf(group),
      answers: `${meta}APIGroup`,
    }),
  }
}

export function versionPath(group: string, version: string): Paths {
  const path = group === '' ? `/api/${version}/` : `/apis/${group}/${version}/`
  return {
    [path]: item({
      id: `get${groupTitle(group)}${titleCase(version)}APIResources`,
      description: 'get available resources',
      tag: tagOf(group, version),
      answers: `${meta}APIResourceList`,
    }),
  }
}
