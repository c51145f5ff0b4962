// Makes sure that the node agent's CRI message code is there: fetches the Debian package that carries api.proto (checked against the
// signed index, cached) and generates once per version of it.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defaultCache } from '../../main/engine/paths.ts'
import { openArchive } from '../../vm-images/debian/archive.ts'
import { unpackDeb } from '../../vm-images/debian/deb.ts'
import { generateCri } from './cri.ts'

const packageName = 'golang-github-kubernetes-cri-api-dev'
const protoPath = /k8s\.io\/cri-api\/pkg\/apis\/runtime\/v1\/api\.proto$/
const folder = fileURLToPath(new URL('../../build/generated/cri', import.meta.url))

export async function ensureCriMessages(onStep: (step: string) => void = () => undefined): Promise<string> {
  const stamp = join(folder, '.source')
  const present = existsSync(stamp) && existsSync(join(folder, 'api_pb.js'))
  // The proto of a Debian stable release does not change; what is there once is right.
  if (present) return (await readFile(stamp, 'utf8')).trim()
  const archive = await openArchive({ suite: 'trixie', cache: defaultCache(), onStep })
  const packages = await archive.resolve('amd64', [packageName])
  const debs = await archive.fetch(packages)
  const work = await mkdtemp(join(tmpdir(), 'orrery-cri-'))
  try {
    const deb = debs.get(packageName)
    if (deb === undefined) throw new Error(`${packageName} was not fetched`)
    const written = await unpackDeb({ deb, folder: work, accept: (path) => protoPath.test(path) })
    const proto = written.find((path) => protoPath.test(path))
    if (proto === undefined) throw new Error(`${packageName} holds no runtime/v1/api.proto`)
    await mkdir(folder, { recursive: true })
    generateCri({ apiProto: existsSync(proto) ? proto : join(work, proto), outFolder: folder })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  const version = `${packageName} ${packages[0]?.version ?? ''}`
  await writeFile(stamp, version)
  return version
}
