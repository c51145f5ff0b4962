// A kubeconfig file as the description of one remote server: its current context's cluster and user.
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse as parseYaml } from 'yaml'
import type { Identity } from '../../apiserver/webhooks/client.ts'
import type { RemoteEndpoint } from '../../apiserver/auth/remote/endpoint.ts'

type Entry<Key extends string, Value> = { readonly name?: string } & Partial<Readonly<Record<Key, Value>>>

interface Cluster {
  readonly server?: string
  readonly 'certificate-authority'?: string
  readonly 'certificate-authority-data'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
  readonly 'tls-server-name'?: string
}
interface User {
  readonly token?: string
  readonly tokenFile?: string
  readonly username?: string
  readonly password?: string
  readonly 'client-certificate'?: string
  readonly 'client-certificate-data'?: string
  readonly 'client-key'?: string
  readonly 'client-key-data'?: string
}
interface KubeconfigFile {
  readonly 'current-context'?: string
  readonly clusters?: readonly Entry<'cluster', Cluster>[]
  readonly users?: readonly Entry<'user', User>[]
  readonly contexts?: readonly Entry<'context', { readonly cluster?: string; readonly user?: string }>[]
}

/** Throws an Error that says what is missing. Paths in the file are relative to it. */
export async function readKubeconfigEndpoint(file: string): Promise<RemoteEndpoint> {
  const config = (parseYaml(await readFile(file, 'utf8')) ?? {}) as KubeconfigFile
  const wanted = config['current-context']
  const context = config.contexts?.find(({ name }) => name === wanted)?.context
  if (context === undefined) throw new Error(`has no context named ${JSON.stringify(wanted ?? '')} (current-context)`)
  const cluster = config.clusters?.find(({ name }) => name === context.cluster)?.cluster
  if (cluster?.server === undefined) throw new Error(`has no cluster named ${JSON.stringify(context.cluster ?? '')}`)
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {}
  const folder = dirname(file)
  const [ca, identity] = await Promise.all([
    pem(folder, cluster['certificate-authority-data'], cluster['certificate-authority']),
    identityOf(folder, user),
  ])
  return {
    url: cluster.server,
    ...(ca === undefined ? {} : { ca }),
    ...identity,
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecure: true } : {}),
    ...(cluster['tls-server-name'] === undefined ? {} : { serverName: cluster['tls-server-name'] }),
  }
}

/** All users of the file by name, as who this server may be to others. */
export async function readKubeconfigUsers(file: string): Promise<ReadonlyMap<string, Identity>> {
  const { users = [] } = (parseYaml(await readFile(file, 'utf8')) ?? {}) as KubeconfigFile
  return new Map(
    await Promise.all(
      users.map(async ({ name = '', user = {} }) => [name, await identityOf(dirname(file), user)] as const),
    ),
  )
}

async function identityOf(folder: string, user: User): Promise<Identity> {
  const [cert, key, token] = await Promise.all([
    pem(folder, user['client-certificate-data'], user['client-certificate']),
    pem(folder, user['client-key-data'], user['client-key']),
    user.token ?? pem(folder, undefined, user.tokenFile),
  ])
  const authorization =
    token !== undefined
      ? `Bearer ${token.trim()}`
      : user.username === undefined
        ? undefined
        : `Basic ${Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64')}`
  return {
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(authorization === undefined ? {} : { authorization }),
  }
}

async function pem(folder: string, data: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
  return path === undefined ? undefined : readFile(resolve(folder, path), 'utf8')
}
