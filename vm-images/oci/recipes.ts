// The images that come with a lab, each made of Debian packages for both architectures.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DebianArch } from '../debian/archive.ts'
import { archFacts, busyboxApplets } from '../recipe.ts'
import { listFiles, type Stage } from '../stage.ts'
import type { ImageConfig } from './layout.ts'
import { pauseConfig, pauseNames, pauseProgram } from './pause.ts'

export interface ImageRecipe {
  /** Full references under which the image is known. */
  names: string[]
  packages: string[]
  config: ImageConfig
  fill(stage: Stage, place: { arch: DebianArch; packages: string }): Promise<void>
}

const baseLibraries = ['libc6', 'libgcc-s1']

const curlLibraries = [
  'libcurl4t64', 'zlib1g', 'libnghttp2-14', 'libnghttp3-9', 'libidn2-0', 'librtmp1', 'libssh2-1t64', 'libpsl5t64', 'libssl3t64', 'libgssapi-krb5-2', 'libldap2', 'libzstd1', 'libbrotli1',
  'libunistring5', 'libgnutls30t64', 'libhogweed6t64', 'libnettle8t64', 'libgmp10', 'libkrb5-3', 'libk5crypto3', 'libcom-err2', 'libkrb5support0', 'libkeyutils1', 'libsasl2-2', 'libp11-kit0',
  'libtasn1-6', 'libffi8',
] // prettier-ignore

const digLibraries = ['bind9-libs', 'libedit2', 'libjemalloc2', 'libprotobuf-c1', 'libbsd0', 'libmd0', 'libtinfo6', 'libuv1t64', 'libxml2', 'liblzma5', 'libjson-c5', 'libmaxminddb0', 'liblmdb0', 'libfstrm0', 'liburcu8t64', 'libstdc++6', 'libcap2'] // prettier-ignore
const ipLibraries = ['libbpf1', 'libelf1t64', 'libmnl0', 'libselinux1', 'libpcre2-8-0', 'libtirpc3t64', 'libxtables12']

const addShell = async (stage: Stage): Promise<void> => {
  await stage.take('usr/bin/busybox')
  for (const applet of busyboxApplets) await stage.linkTo(`usr/bin/${applet}`, 'busybox')
}

const addBase = async (stage: Stage): Promise<void> => {
  for (const name of ['bin', 'sbin', 'lib', 'lib64']) await stage.linkTo(name, `usr/${name}`)
  await stage.write('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n')
  await stage.write('etc/group', 'root:x:0:\nnogroup:x:65534:\n')
  await stage.write('etc/nsswitch.conf', 'hosts: files dns\n')
  await stage.write('tmp/.keep', '')
}

const pause: ImageRecipe = {
  names: pauseNames,
  packages: ['catatonit'],
  config: pauseConfig,
  async fill(stage, { packages }) {
    await stage.add(join(packages, pauseProgram), 'pause', 0o755)
  },
}

const toolbox: ImageRecipe = {
  names: ['docker.io/library/toolbox:1.0', 'docker.io/library/toolbox:latest'],
  packages: [
    'busybox-static',
    'curl',
    'bind9-dnsutils',
    'iproute2',
    'ca-certificates',
    'catatonit',
    ...baseLibraries,
    ...curlLibraries,
    ...digLibraries,
    ...ipLibraries,
  ],
  // Without a command of its own it waits, so that a pod made of it can be opened with exec.
  config: {
    Entrypoint: ['/usr/bin/catatonit', '--'],
    Cmd: ['/bin/sleep', '2147483647'],
    Env: ['PATH=/usr/bin:/usr/sbin:/bin:/sbin', 'HOME=/root', 'ENV=/root/.profile'],
    WorkingDir: '/root',
  },
  async fill(stage, { packages }) {
    await addBase(stage)
    await addShell(stage)
    await stage.write('root/.profile', 'PS1="toolbox:\\w# "\nalias ip=/usr/bin/ip\n')
    for (const program of ['usr/bin/curl', 'usr/bin/dig', 'usr/bin/ip', 'usr/bin/ss', 'usr/bin/catatonit'])
      await stage.take(program)
    const certificates = 'usr/share/ca-certificates/mozilla'
    const bundle = await Promise.all(
      (await listFiles(join(packages, certificates))).map((name) =>
        readFile(join(packages, certificates, name), 'utf8'),
      ),
    )
    await stage.write('etc/ssl/certs/ca-certificates.crt', bundle.join(''))
    await stage.takeLibraries()
  },
}

const luaModules = ['socket', 'utsname']
const luaTopModules = ['poll', 'fcntl', 'unistd', 'signal', 'time', 'errno']

const hello: ImageRecipe = {
  names: ['docker.io/library/hello:1.0', 'docker.io/library/hello:latest'],
  packages: [
    'busybox-static',
    'lua5.4',
    'lua-posix',
    'libcrypt1',
    'libreadline8t64',
    'libtinfo6',
    'liblua5.4-0',
    ...baseLibraries,
  ],
  config: {
    Entrypoint: ['/usr/bin/lua5.4', '/srv/hello.lua'],
    Env: ['PATH=/usr/bin:/usr/sbin:/bin:/sbin'],
    WorkingDir: '/srv',
    User: '65534:65534',
    ExposedPorts: { '8080/tcp': {} },
  },
  async fill(stage, { arch }) {
    await addBase(stage)
    await addShell(stage)
    await stage.take('usr/bin/lua5.4')
    const library = `usr/lib/${archFacts[arch].multiarch}/lua/5.4/posix`
    for (const name of luaTopModules) await stage.take(`${library}/${name}.so`)
    for (const name of luaModules) await stage.take(`${library}/sys/${name}.so`)
    await stage.write('srv/hello.lua', await readFile(join(import.meta.dirname, 'hello.lua')))
    await stage.takeLibraries()
  },
}

/** By the short name that progress is reported with. */
export const imageRecipes: Record<string, ImageRecipe> = { pause, hello, toolbox }
