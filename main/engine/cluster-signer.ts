// The lab's keys behind the interface that controllers use.
import { createPrivateKey } from 'node:crypto'
import { importPKCS8, SignJWT } from 'jose'
import type { ClusterSigner } from '../controllers/index.ts'
import type { KeyPair } from '../pki/certificates.ts'
import { readCertificateRequest, signCertificateRequest } from '../pki/certificate-requests.ts'

export function clusterSigner(keys: { authority: KeyPair; serviceAccountPem: string }): ClusterSigner {
  const alg = createPrivateKey(keys.serviceAccountPem).asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256'
  return {
    async signToken(claims) {
      const key = await importPKCS8(keys.serviceAccountPem, alg)
      return new SignJWT({ ...claims }).setProtectedHeader({ alg, kid: 'orrery' }).sign(key)
    },
    readRequest: readCertificateRequest,
    signCertificate: (request) => signCertificateRequest(keys.authority, request),
  }
}
