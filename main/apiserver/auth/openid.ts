// What others need to check service account tokens by themselves: the issuer's discovery document and its public keys.
import { createPublicKey } from 'node:crypto'
import type { ApiServerOptions } from '../apiserver.ts'
import { algorithmOf, keyId } from './service-account-tokens.ts'

export interface OpenIdDocuments {
  readonly configuration: object
  readonly keys: object
}

export function openIdDocuments(key: ApiServerOptions['serviceAccountKey']): OpenIdDocuments {
  const { publicPem, issuer, verifyPems = [], jwksUri } = key
  const keys = [...new Map([publicPem, ...verifyPems].map((pem) => [keyId(pem), pem]))]
  return {
    configuration: {
      issuer,
      jwks_uri: jwksUri ?? `${issuer.replace(/\/$/, '')}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [...new Set(keys.map(([, pem]) => algorithmOf(pem)))],
    },
    keys: {
      keys: keys.map(([kid, pem]) => ({
        ...createPublicKey(pem).export({ format: 'jwk' }),
        use: 'sig',
        alg: algorithmOf(pem),
        kid,
      })),
    },
  }
}
