// In kube-apiserver's place: started by the name and the flags that envtest uses, on an etcd of its own, with certificates and service
// account keys that the suite made; then used as suites use it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAuthority, issueCertificate, type KeyPair } from '../../main/pki/certificates.ts'
import { EtcdProcesses, freePort, newPorts, urlOf } from '../harness/etcd.ts'
import { eventually } from '../harness/eventually.ts'
import { cli, kubectlFor, run } from '../harness/programs.ts'

const etcd = new EtcdProcesses()
let folder: string
let program: string
let server: ChildProcess
let output = ''
let kubectl: Awaited<ReturnType<typeof kubectlFor>>
let authority: KeyPair

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-drop-in-'))
  await etcd.prepare()
  const ports = await newPorts()
  await etcd.start(folder, ports)
  program = join(folder, 'kube-apiserver')
  const home = join(folder, 'home')
  await writeFile(
    program,
    `#!/bin/sh\nexec ${process.execPath} ${cli} engine --no-machines --controllers= --scheduler=false --data ${home} "$@"\n`,
  )
  await chmod(program, 0o755)

  const certificates = join(folder, 'certs')
  await mkdir(certificates)
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(certificates, name), text)
    return join(certificates, name)
  }
  authority = await createAuthority('envtest-environment')
  const serving = await issueCertificate(authority, {
    commonName: 'localhost',
    dnsNames: ['localhost'],
    addresses: ['127.0.0.1'],
    usages: ['server'],
  })
  await file('apiserver.crt', serving.cert)
  await file('apiserver.key', serving.key)
  // The public half comes as a certificate.
  const signer = await createAuthority('service-accounts')
  const clients = await createAuthority('clients')
  const user = await issueCertificate(clients, {
    commonName: 'admin',
    organizations: ['system:masters'],
    usages: ['client'],
  })
  const port = await freePort()
  server = spawn(
    program,
    [
      '--allow-privileged=true',
      '--authorization-mode=RBAC',
      '--bind-address=127.0.0.1',
      `--cert-dir=${certificates}`,
      `--client-ca-file=${await file('client-cert-auth-ca.crt', clients.cert)}`,
      '--disable-admission-plugins=ServiceAccount',
      `--etcd-servers=${urlOf(ports)}`,
      `--secure-port=${String(port)}`,
      `--service-account-issuer=https://127.0.0.1:${String(port)}/`,
      `--service-account-key-file=${await file('sa-signer.crt', signer.cert)}`,
      `--service-account-signing-key-file=${await file('sa-signer.key', signer.key)}`,
      '--service-cluster-ip-range=10.0.0.0/24',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  for (const stream of [server.stdout, server.stderr])
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'envtest',
    contexts: [{ name: 'envtest', context: { cluster: 'envtest', user: 'envtest' } }],
    clusters: [
      {
        name: 'envtest',
        cluster: {
          server: `https://127.0.0.1:${String(port)}`,
          'certificate-authority-data': base64(authority.cert),
        },
      },
    ],
    users: [
      {
        name: 'envtest',
        user: { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) },
      },
    ],
  }
  const path = join(folder, 'kubeconfig')
  await writeFile(path, JSON.stringify(kubeconfig))
  kubectl = await kubectlFor(path, folder)
  await eventually('it is healthy', async () => {
    if (server.exitCode !== null) throw new Error(`it ended:\n${output}`)
    return (await kubectl.run('get --raw /healthz')).stdout === 'ok'
  })
}, 300_000)

afterAll(async () => {
  if (server.exitCode === null) server.kill('SIGKILL')
  await etcd.stopAll()
  await rm(folder, { recursive: true, force: true })
})

describe('in the place of kube-apiserver', () => {
  it('tells its flags when asked for help, as suites look for the ones that versions have', async () => {
    const { code, stdout } = await run(program, ['--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\s*--etcd-servers\b/m)
    expect(stdout).not.toMatch(/^\s*--insecure-port\b/m)
  })

  it('says which Kubernetes it serves', async () => {
    const { stdout } = await run(program, ['--version'])
    expect(stdout).toMatch(/^Kubernetes v1\.36\.\d/)
  })

  it('needs no service accounts, and signs tokens with the key it was given', async () => {
    await kubectl.ok('run one --image=x')
    expect(await kubectl.ok('get pod one -o jsonpath={.spec.volumes}{.status.phase}')).toBe('Pending')
    expect(await kubectl.ok('get service kubernetes -o jsonpath={.spec.clusterIP}')).toBe('10.0.0.1')
    await kubectl.ok('create serviceaccount robot')
    const token = (await kubectl.ok('create token robot')).trim()
    const { iss } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as { iss: string }
    expect(iss).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/)
    const who = await kubectl.ok([...['create', '-o', 'jsonpath={.status.user.username}', '-f', '-']], {
      input: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }),
    })
    expect(who).toBe('system:serviceaccount:default:robot')
  })

  it('runs no controllers', async () => {
    await kubectl.ok('create deployment web --image=x')
    await kubectl.ok('create configmap after')
    expect(await kubectl.ok('get replicasets -o name')).toBe('')
  })

  it('installs custom resources and asks webhooks of the suite by their address', async () => {
    const seen: string[] = []
    const hook = await webhook(authority, (kind) => seen.push(kind))
    try {
      await kubectl.ok('create -f -', {
        input: JSON.stringify({
          apiVersion: 'apiextensions.k8s.io/v1',
          kind: 'CustomResourceDefinition',
          metadata: { name: 'chores.example.org' },
          spec: {
            group: 'example.org',
            scope: 'Namespaced',
            names: { plural: 'chores', singular: 'chore', kind: 'Chore', listKind: 'ChoreList' },
            versions: [
              {
                name: 'v1',
                served: true,
                storage: true,
                schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
              },
            ],
          },
        }),
      })
      await kubectl.ok('wait --for=condition=Established crd/chores.example.org --timeout=30s')
      await kubectl.ok('create -f -', {
        input: JSON.stringify({
          apiVersion: 'admissionregistration.k8s.io/v1',
          kind: 'ValidatingWebhookConfiguration',
          metadata: { name: 'chores' },
          webhooks: [
            {
              name: 'chores.example.org',
              admissionReviewVersions: ['v1'],
              sideEffects: 'None',
              rules: [
                { apiGroups: ['example.org'], apiVersions: ['v1'], resources: ['chores'], operations: ['CREATE'] },
              ],
              clientConfig: { url: hook.url, caBundle: Buffer.from(authority.cert).toString('base64') },
            },
          ],
        }),
      })
      const chore = (name: string) => ({
        input: `{"apiVersion":"example.org/v1","kind":"Chore","metadata":{"name":"${name}"}}`,
      })
      await eventually('the webhook is asked', async () => {
        const { stderr } = await kubectl.run('create -f -', chore('refused'))
        return stderr.includes('denied the request: not today')
      })
      expect(seen).toContain('Chore')
    } finally {
      hook.close()
    }
  })

  it('stops when it is told to', async () => {
    expect(server.exitCode).toBeNull()
    const ended = once(server, 'exit')
    server.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })
})

async function webhook(issuer: KeyPair, seen: (kind: string) => void): Promise<{ url: string; close(): void }> {
  const { cert, key } = await issueCertificate(issuer, {
    commonName: 'localhost',
    addresses: ['127.0.0.1'],
    usages: ['server'],
  })
  const hooks: Server = createServer({ cert, key }, (req, res) => {
    let text = ''
    req.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
    req.on('end', () => {
      const { request } = JSON.parse(text) as { request: { uid: string; kind: { kind: string } } }
      seen(request.kind.kind)
      const response = { uid: request.uid, allowed: false, status: { message: 'not today' } }
      res.setHeader('content-type', 'application/json')
      res.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }))
    })
  }).listen(0, '127.0.0.1')
  await once(hooks, 'listening')
  return {
    url: `https://127.0.0.1:${String((hooks.address() as AddressInfo).port)}/validate`,
    close: () => {
      hooks.closeAllConnections()
      hooks.close()
    },
  }
}
