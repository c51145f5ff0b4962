import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../common/machinery/clock.ts'
import { silentLogger } from '../../common/machinery/logger.ts'
import { openPki, type LabPki } from '../pki/pki-files.ts'
import { clusterNetwork } from './cluster-network.ts'
import { readControlPlaneOptions } from './control-plane-options.ts'
import type { EngineOptions } from './options.ts'
import { homePaths } from './paths.ts'

let folder: string
let pki: LabPki
const network = clusterNetwork()

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-options-'))
  pki = await openPki(homePaths(join(folder, 'home')), network.apiServiceAddress)
})
afterAll(() => rm(folder, { recursive: true }))

const read = (options: Partial<EngineOptions>) =>
  readControlPlaneOptions(
    { home: folder, cache: folder, machines: false, foreground: false, logLevel: 'info', ...options },
    { pki, network, logger: silentLogger, clock: systemClock },
  )
const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

describe('options of the control plane', () => {
  it("are the engine's own when nothing is said", async () => {
    const { apiServer, trust } = await read({})
    expect(apiServer.tls.cert).toBe(pki.server.cert)
    expect(apiServer).toMatchObject({ anonymousAuth: { enabled: true }, authorizationModes: ['Node', 'RBAC'] })
    expect(apiServer.requestHeader).toBeUndefined()
    expect(trust).toBe(pki.authority.cert)
  })

  it('keep a certificate in a folder, and use the one that is there', async () => {
    const certDir = join(folder, 'certs')
    expect((await read({ certDir })).apiServer.tls.cert).toBe(pki.server.cert)
    expect(await readFile(join(certDir, 'apiserver.key'), 'utf8')).toBe(pki.server.key)
    await writeFile(join(certDir, 'apiserver.crt'), pki.engine.cert)
    await writeFile(join(certDir, 'apiserver.key'), pki.engine.key)
    const { apiServer, trust } = await read({ certDir })
    expect(apiServer.tls).toMatchObject({ cert: pki.engine.cert, key: pki.engine.key })
    expect(trust).toContain(pki.engine.cert)
  })

  it('take the old way to say which admission plugins run', async () => {
    const { apiServer } = await read({ onlyAdmissionPlugins: ['NamespaceLifecycle', 'AlwaysPullImages'] })
    expect(apiServer.admissionPlugins?.enable).toEqual(['NamespaceLifecycle', 'AlwaysPullImages'])
    expect(apiServer.admissionPlugins?.disable).toContain('ServiceAccount')
    expect(apiServer.admissionPlugins?.disable).not.toContain('NamespaceLifecycle')
  })

  it('believe no proxy without its authority', async () => {
    expect((await read({ requestHeader: { allowedNames: ['x'] } })).apiServer.requestHeader).toBeUndefined()
  })

  it('record nothing with half of an audit', async () => {
    expect((await read({ audit: { logPath: '-' } })).apiServer.audit).toBeUndefined()
  })

  it('do not let strangers in where everybody may do everything', async () => {
    expect((await read({ authorizationModes: ['AlwaysAllow'] })).apiServer.anonymousAuth).toEqual({ enabled: false })
    const asked = await read({ authorizationModes: ['AlwaysAllow'], anonymousAuth: true })
    expect(asked.apiServer.anonymousAuth).toEqual({ enabled: true })
  })

  it.each<[string, RegExp, () => Promise<Partial<EngineOptions>>]>([
    [
      'a file that is not there',
      /--client-ca-file .* cannot be read/,
      () => Promise.resolve({ clientCaFile: join(folder, 'none') }),
    ],
    [
      'a file with something else',
      /--client-ca-file .* holds no certificate/,
      async () => ({ clientCaFile: await file('ca', 'x') }),
    ],
    [
      'half of a pair',
      /--tls-cert-file needs the other/,
      async () => ({ tlsCertFile: await file('crt', pki.server.cert) }),
    ],
    [
      'keys that do not belong together',
      /--tls-private-key-file .* is not the key/,
      async () => ({
        tlsCertFile: await file('crt', pki.server.cert),
        tlsPrivateKeyFile: await file('key', pki.engine.key),
      }),
    ],
    [
      'a plugin nobody knows',
      /--enable-admission-plugins plugin "Magic" is unknown/,
      () => Promise.resolve({ enableAdmissionPlugins: ['Magic'] }),
    ],
    [
      'no kubeconfig',
      /--audit-webhook-config-file .* has no context/,
      async () => ({
        audit: {
          policyFile: await file('all', 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]'),
          webhook: { configFile: await file('empty', 'apiVersion: v1\nkind: Config') },
        },
      }),
    ],
    [
      'a policy that is none',
      /--audit-policy-file .* is no audit policy: .*rules/,
      async () => ({
        audit: { logPath: '-', policyFile: await file('policy', 'apiVersion: audit.k8s.io/v1\nkind: Policy') },
      }),
    ],
  ])('name their flag when they are wrong: %s', async (_what, message, options) => {
    await expect(options().then(read)).rejects.toThrow(message)
  })
})
