// The kubeconfig of the lab: one cluster, the admin's client certificate, everything inline so that the file can be copied.
import { stringify } from 'yaml'
import type { KeyPair } from '../pki/certificates.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

export function kubeconfig(options: { server: string; ca: string; admin: KeyPair }): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      { name: 'orrery', cluster: { server: options.server, 'certificate-authority-data': base64(options.ca) } },
    ],
    users: [
      {
        name: 'orrery-admin',
        user: { 'client-certificate-data': base64(options.admin.cert), 'client-key-data': base64(options.admin.key) },
      },
    ],
    contexts: [{ name: 'orrery', context: { cluster: 'orrery', user: 'orrery-admin' } }],
    'current-context': 'orrery',
  })
}
