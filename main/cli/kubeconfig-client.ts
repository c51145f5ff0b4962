// A client of whatever cluster a kubeconfig file names: client certificate, bearer token, or both; files or inline data.
import { readFile } from 'node:fs/promises'
import { connect } from 'node:http2'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { createClient } from '../../common/client/create-client.ts'
import type { KubeClient } from '../../common/client/client.ts'
import { createHttp2Transport } from '../client/http2-transport.ts'
import { CodedError } from '../engine/coded-error.ts'

interface Kubeconfig {
  clusters?: { name: string; cluster: ClusterEntry }[]
  users?: { name: string; user: UserEntry }[]
  contexts?: { name: string; context: { cluster: string; user: string } }[]
  'current-context'?: string
}
interface ClusterEntry {
  server: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
}
interface UserEntry {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
  exec?: unknown
  'auth-provider'?: unknown
}

export interface ClusterClient {
  server: string
  client: KubeClient
  close(): void
}

/** Throws CodedError BadFile when the file cannot be read or names nothing that can be connected to. */
export async function connectKubeconfig(file: string): Promise<ClusterClient> {
  const { cluster, user } = await readKubeconfig(file)
  if (user.exec !== undefined || user['auth-provider'] !== undefined)
    throw new CodedError(
      'BadFile',
      `the user of ${file} signs in through another program`,
      'Use a kubeconfig with a client certificate or a token.',
    )
  const folder = dirname(file)
  const part = async (data: string | undefined, path: string | undefined): Promise<string | undefined> => {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8')
    return path === undefined ? undefined : readFile(resolve(folder, path), 'utf8')
  }
  const [ca, cert, key, tokenFile] = await Promise.all([
    part(cluster['certificate-authority-data'], cluster['certificate-authority']),
    part(user['client-certificate-data'], user['client-certificate']),
    part(user['client-key-data'], user['client-key']),
    part(undefined, user.tokenFile),
  ])
  const token = user.token ?? tokenFile?.trim()
  const transport = createHttp2Transport({
    connect: () =>
      connect(cluster.server, {
        rejectUnauthorized: cluster['insecure-skip-tls-verify'] !== true,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined || key === undefined ? {} : { cert, key }),
      }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  })
  return {
    server: cluster.server,
    client: createClient(transport),
    close() {
      transport.close()
    },
  }
}

async function readKubeconfig(file: string): Promise<{ cluster: ClusterEntry; user: UserEntry }> {
  let config: Kubeconfig | null
  try {
    config = parse(await readFile(file, 'utf8')) as Kubeconfig | null
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new CodedError('BadFile', `${file} cannot be read: ${message}`, 'Check the path given with --kubeconfig.', {
      cause: error,
    })
  }
  const current = config?.['current-context']
  const context = config?.contexts?.find(({ name }) => name === current)?.context
  const cluster = config?.clusters?.find(({ name }) => name === context?.cluster)?.cluster
  if (context === undefined || cluster === undefined)
    throw new CodedError('BadFile', `${file} has no current context with a cluster`, 'kubectl config get-contexts')
  return { cluster, user: config?.users?.find(({ name }) => name === context.user)?.user ?? {} }
}
