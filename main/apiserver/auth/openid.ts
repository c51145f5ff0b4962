// What others need to check service account tokens by themselves: the issuer's discovery document and its public key.
import { createPublicKey } from 'node:crypto'

export interface OpenIdDocuments {
  readonly configuration: object
  readonly keys: object
}

export function openIdDocuments({
  publicPem,
  issuer,
}: {
  readonly publicPem: string
  readonly issuer: string
}): OpenIdDocuments {
  const key = createPublicKey(publicPem)
  const algorithm = key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256'
  return {
    configuration: {
      issuer,
      jwks_uri: `${issuer.replace(/\/$/, '')}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [algorithm],
    },
    keys: { keys: [{ ...key.export({ format: 'jwk' }), use: 'sig', alg: algorithm, kid: 'orrery' }] },
  }
}
