import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { EngineOptions } from '../options.ts'
import { readAdmission } from './admission.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-admission-'))
})
afterAll(() => rm(folder, { recursive: true }))

const file = async (name: string, text: string): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}
const read = (options: Partial<EngineOptions>): ReturnType<typeof readAdmission> =>
  readAdmission({ home: folder, cache: folder, machines: false, foreground: false, logLevel: 'info', ...options })
const configuration = (plugins: readonly object[]): Promise<string> =>
  file(
    'admission.yaml',
    JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins }),
  )

it('reads what plugins are told, and the files that are named there', async () => {
  await file(
    'kubeconfig',
    `{current-context: c, contexts: [{name: c, context: {cluster: k, user: u}}],
      clusters: [{name: k, cluster: {server: 'https://images.example.com'}}], users: [{name: u, user: {token: secret}}]}`,
  )
  await file('images.yaml', 'imagePolicy: {kubeConfigFile: kubeconfig, defaultAllow: true}')
  const kind = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration' }
  const { configurations } = await read({
    enableAdmissionPlugins: ['ImagePolicyWebhook'],
    admissionConfigFile: await configuration([
      { name: 'ImagePolicyWebhook', path: 'images.yaml' },
      { name: 'ValidatingAdmissionWebhook', configuration: { ...kind, kubeConfigFile: 'kubeconfig' } },
    ]),
  })
  expect(configurations?.get('ImagePolicyWebhook')).toMatchObject({
    content: { imagePolicy: { defaultAllow: true } },
    endpoint: { url: 'https://images.example.com', authorization: 'Bearer secret' },
  })
  expect(configurations?.get('ValidatingAdmissionWebhook')?.identities?.get('u')).toEqual({
    authorization: 'Bearer secret',
  })
})

it('says what cannot be used', async () => {
  const wrong = { apiVersion: 'pod-security.admission.config.k8s.io/v1', kind: 'PodSecurityConfiguration' }
  const plugins = [{ name: 'PodSecurity', configuration: { ...wrong, defaults: { enforce: 'strict' } } }]
  await expect(read({ admissionConfigFile: await configuration(plugins) })).rejects.toThrow(
    '--admission-control-config-file: PodSecurity: defaults.enforce: Invalid value: "strict"',
  )
  await expect(read({ admissionConfigFile: await file('other.yaml', 'kind: Pod\napiVersion: v1') })).rejects.toThrow(
    'is no AdmissionConfiguration of apiserver.config.k8s.io/v1',
  )
  await expect(read({ admissionConfigFile: await configuration([{ path: 'x' }]) })).rejects.toThrow(
    'plugins[0].name: Required value',
  )
  await expect(read({ enableAdmissionPlugins: ['Nope'] })).rejects.toThrow(
    '--enable-admission-plugins plugin "Nope" is unknown',
  )
})
