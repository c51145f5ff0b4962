// The lab's keys on disk, made at the first start and kept: CA, API server, engine (client of the agents), admin, token keys.
// Files are 0600 in a 0700 folder and written atomically, so a kill at any moment leaves a whole set or none.
import { randomBytes, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '../engine/atomic-file.ts'
import type { HomePaths } from '../engine/paths.ts'
import {
  createAuthority,
  createSigningKey,
  issueCertificate,
  needsRenewal,
  type CertificateRequest,
  type KeyPair,
} from './certificates.ts'

export const engineCommonName = 'orrery-engine'

export interface LabPki {
  authority: KeyPair
  server: KeyPair
  /** The engine as client of the node agents (CN orrery-engine). */
  engine: KeyPair
  /** kubectl's client certificate (O system:masters). */
  admin: KeyPair
  /** This server as the front proxy of extension API servers: an authority for nothing else, and a certificate of it. */
  frontProxy: { authority: KeyPair; client: KeyPair }
  serviceAccountKey: { privatePem: string; publicPem: string }
  /** Bearer token with the same rights as the admin certificate; used by the command and the window's sign-in. */
  adminToken: string
  issueAgentCertificate(machine: string): Promise<KeyPair>
}

async function keep<T>(
  file: string,
  make: () => Promise<T>,
  valid: (value: T) => Promise<boolean> = () => Promise.resolve(true),
): Promise<T> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as T
    if (await valid(value)) return value
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof SyntaxError)) throw error
  }
  const value = await make()
  await writeFileAtomic(file, `${JSON.stringify(value)}\n`, { mode: 0o600 })
  return value
}

/** Opens the lab's keys, creating or renewing what is missing or about to end. `also`: further names of the API server. */
export async function openPki(
  paths: HomePaths,
  apiServiceAddress: string,
  also: { readonly addresses: readonly string[]; readonly dnsNames: readonly string[] } = {
    addresses: [],
    dnsNames: [],
  },
): Promise<LabPki> {
  await mkdir(paths.pki, { recursive: true, mode: 0o700 })
  const file = (name: string): string => join(paths.pki, `${name}.json`)
  const authority = await keep(file('ca'), () => createAuthority('orrery-ca'))
  const issued = (name: string, request: CertificateRequest): Promise<KeyPair> =>
    keep(
      file(name),
      () => issueCertificate(authority, request),
      async (pair) => !(await needsRenewal(pair.cert, authority, 60)) && covers(pair.cert, request),
    )
  const [server, engine, admin, serviceAccountKey, adminToken, frontProxy] = await Promise.all([
    issued('apiserver', {
      commonName: 'orrery-apiserver',
      dnsNames: [
        'localhost',
        'kubernetes',
        'kubernetes.default',
        'kubernetes.default.svc',
        'kubernetes.default.svc.cluster.local',
        ...also.dnsNames,
      ],
      addresses: ['127.0.0.1', '::1', apiServiceAddress, ...also.addresses],
      usages: ['server'],
    }),
    issued('engine', { commonName: engineCommonName, usages: ['client'] }),
    issued('admin', { commonName: 'orrery-admin', organizations: ['system:masters'], usages: ['client'] }),
    keep(file('service-account'), createSigningKey),
    keep(paths.adminToken, () => Promise.resolve({ token: randomBytes(32).toString('base64url') })),
    openFrontProxy(file),
  ])
  return {
    authority,
    server,
    engine,
    admin,
    serviceAccountKey,
    frontProxy,
    adminToken: adminToken.token,
    issueAgentCertificate: (machine) =>
      issueCertificate(authority, {
        commonName: `system:node:${machine}`,
        organizations: ['system:nodes'],
        dnsNames: [machine],
        usages: ['server', 'client'],
      }),
  }
}

function covers(cert: string, { dnsNames = [], addresses = [] }: CertificateRequest): boolean {
  const parsed = new X509Certificate(cert)
  return (
    dnsNames.every((name) => parsed.checkHost(name, { subject: 'never' }) !== undefined) &&
    addresses.every((address) => parsed.checkIP(address) !== undefined)
  )
}

export const frontProxyCommonName = 'front-proxy-client'

async function openFrontProxy(file: (name: string) => string): Promise<LabPki['frontProxy']> {
  const authority = await keep(file('front-proxy-ca'), () => createAuthority('orrery-front-proxy-ca'))
  const client = await keep(
    file('front-proxy-client'),
    () => issueCertificate(authority, { commonName: frontProxyCommonName, usages: ['client'] }),
    async (pair) => !(await needsRenewal(pair.cert, authority, 60)),
  )
  return { authority, client }
}
