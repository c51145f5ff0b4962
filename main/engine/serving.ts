// Certificates and keys that flags name: the server's own, those for clients that ask for a name, and others.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ApiServerOptions } from '../apiserver/apiserver.ts'
import type { LabPki } from '../pki/pki-files.ts'
import { CodedError } from './coded-error.ts'
import { badFile, messageOf, readFlagFile } from './flag-files.ts'
import type { EngineOptions } from './options.ts'
import { namesIn } from './server-names.ts'

/** Throws unless `text` holds what `parse` can read. */
export function requirePem(
  flag: string,
  file: string,
  text: string,
  what: string,
  parse: (text: string) => unknown,
): string {
  try {
    parse(text)
    return text
  } catch (error) {
    throw badFile(flag, file, `holds no ${what}: ${messageOf(error)}`, `Give a PEM file with a ${what}.`, error)
  }
}

export async function readCertificates(flag: string, file: string): Promise<string> {
  return requirePem(flag, file, await readFlagFile(flag, file), 'certificate', (text) => new X509Certificate(text))
}

/** Undefined: the engine's own certificate. */
export async function readServing(
  options: EngineOptions,
  pki: LabPki,
): Promise<{ cert: string; key: string } | undefined> {
  const { tlsCertFile, tlsPrivateKeyFile, certDir } = options
  if (certDir === undefined || tlsCertFile !== undefined || tlsPrivateKeyFile !== undefined)
    return readPair(['tls-cert-file', tlsCertFile], ['tls-private-key-file', tlsPrivateKeyFile])
  const [certFile, keyFile] = [join(certDir, 'apiserver.crt'), join(certDir, 'apiserver.key')]
  if (existsSync(certFile) && existsSync(keyFile)) return readPair(['cert-dir', certFile], ['cert-dir', keyFile])
  try {
    await mkdir(certDir, { recursive: true })
    // Whoever trusts the certificate in the folder must be able to check the one served: the authority stands beside it.
    await writeFile(certFile, `${pki.server.cert.trimEnd()}\n${pki.authority.cert}`)
    await writeFile(keyFile, pki.server.key, { mode: 0o600 })
  } catch (error) {
    throw badFile('cert-dir', certDir, `cannot be written: ${messageOf(error)}`, 'Choose another folder.', error)
  }
  return undefined
}

/** A certificate and its key, from two flags of which neither makes sense alone. */
export async function readPair(
  [certFlag, certFile]: readonly [string, string | undefined],
  [keyFlag, keyFile]: readonly [string, string | undefined],
): Promise<{ cert: string; key: string } | undefined> {
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined)
    throw new CodedError(
      'BadArgument',
      `--${certFile === undefined ? keyFlag : certFlag} needs the other one of certificate and key`,
      `Give both --${certFlag} and --${keyFlag}, or neither.`,
    )
  const cert = await readCertificates(certFlag, certFile)
  const key = requirePem(keyFlag, keyFile, await readFlagFile(keyFlag, keyFile), 'private key', createPrivateKey)
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw badFile(keyFlag, keyFile, 'is not the key of the certificate', 'Give files that belong together.')
  return { cert, key }
}

/** Certificates for clients that ask for a name; one that is given without names is for those it holds. */
export async function readNamed({
  namedCertificates = [],
}: EngineOptions): Promise<Required<ApiServerOptions['tls']>['named']> {
  const flag = 'tls-sni-cert-key'
  return Promise.all(
    namedCertificates.map(async ({ certFile, keyFile, names }) => {
      const pair = await readPair([flag, certFile], [flag, keyFile])
      if (pair === undefined) throw badFile(flag, certFile, 'is empty', 'Give a certificate and its key.')
      return { ...pair, names: names.length === 0 ? namesIn(pair.cert) : names }
    }),
  )
}
