// Which admission plugins run and with what settings: --enable- and --disable-admission-plugins, and the file of
// --admission-control-config-file, an AdmissionConfiguration that holds a document for each plugin or names its file.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse as parseYaml } from 'yaml'
import type { PluginConfiguration } from '../../apiserver/admission/configuration.ts'
import { AdmissionPluginError, admissionPlugins, selectAdmissionPlugins } from '../../apiserver/admission/plugins.ts'
import type { AdmissionSelection } from '../../apiserver/admission/selection.ts'
import { CodedError } from '../coded-error.ts'
import type { EngineOptions } from '../options.ts'
import { parseConfig, readConfigFile } from './config-file.ts'
import { readKubeconfigEndpoint, readKubeconfigUsers } from './kubeconfig-endpoint.ts'

const flag = 'admission-control-config-file'

export async function readAdmission({
  onlyAdmissionPlugins: only,
  enableAdmissionPlugins: enable = only ?? [],
  disableAdmissionPlugins: disable = onByDefaultBut(only),
  admissionConfigFile: file,
}: EngineOptions): Promise<AdmissionSelection> {
  const configurations =
    file === undefined ? undefined : await readConfigFile(flag, file, (text) => readPlugins(text, dirname(file)))
  const selection = { enable, disable, ...(configurations === undefined ? {} : { configurations }) }
  try {
    selectAdmissionPlugins(selection)
    return selection
  } catch (error) {
    if (!(error instanceof AdmissionPluginError)) throw error
    const known = admissionPlugins.map(({ name }) => name).join(', ')
    throw new CodedError('BadArgument', `--${error.message}`, `The plugins are: ${known}.`, { cause: error })
  }
}

const onByDefaultBut = (only: readonly string[] | undefined): string[] =>
  only === undefined
    ? []
    : admissionPlugins.filter(({ name, defaultOn }) => defaultOn && !only.includes(name)).map(({ name }) => name)

/** `folder`: to which paths in the file are relative. */
async function readPlugins(text: string, folder: string): Promise<ReadonlyMap<string, PluginConfiguration>> {
  const { plugins = [] } = parseConfig(text, 'AdmissionConfiguration') as {
    plugins?: readonly { readonly name?: string; readonly path?: string; readonly configuration?: unknown }[]
  }
  const found = new Map<string, PluginConfiguration>()
  for (const [index, { name = '', path = '', configuration }] of plugins.entries()) {
    const at = `plugins[${String(index)}]`
    if (name === '') throw new Error(`${at}.name: Required value`)
    if (found.has(name)) throw new Error(`${at}.name: Duplicate value: ${JSON.stringify(name)}`)
    const base = path === '' ? folder : dirname(resolve(folder, path))
    const content: unknown =
      configuration ?? (path === '' ? {} : parseYaml(await readFile(resolve(folder, path), 'utf8')))
    if (typeof content !== 'object' || content === null)
      throw new Error(`${at}.configuration: Invalid value: is no document`)
    found.set(name, { content, ...(await readRemote(content, base)) })
  }
  return found
}

/** What a kubeConfigFile in a plugin's document describes: the server to ask (ImagePolicyWebhook), or who to be to many. */
async function readRemote(content: object, folder: string): Promise<Partial<PluginConfiguration>> {
  const { kubeConfigFile, imagePolicy } = content as {
    readonly kubeConfigFile?: string
    readonly imagePolicy?: { readonly kubeConfigFile?: string }
  }
  if (imagePolicy?.kubeConfigFile !== undefined)
    return { endpoint: await readKubeconfigEndpoint(resolve(folder, imagePolicy.kubeConfigFile)) }
  return kubeConfigFile === undefined ? {} : { identities: await readKubeconfigUsers(resolve(folder, kubeConfigFile)) }
}
