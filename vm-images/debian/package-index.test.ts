import { describe, expect, it } from 'vitest'
import { compareVersions, dependencyNames, findPackages, parseRelease } from './package-index.ts'

const hash = (digit: string): string => digit.repeat(64)

const index = `Package: crun
Architecture: amd64
Version: 1.21-1
Depends: libc6 (>= 2.38), libcap2 (>= 1:2.10)
Filename: pool/main/c/crun/crun_1.21-1_amd64.deb
Size: 368640
SHA256: ${hash('a')}

Package: linux-image-cloud-amd64
Architecture: amd64
Version: 6.12.107-1
Depends: linux-image-6.12.107+deb13-cloud-amd64 (= 6.12.107-1), other
Filename: pool/l.deb
Size: 1
SHA256: ${hash('b')}

Package: crun
Architecture: amd64
Version: 1.21-1+deb13u1
Filename: pool/main/c/crun/crun_1.21-1+deb13u1_amd64.deb
Size: 368700
SHA256: ${hash('c')}
`

describe('findPackages', () => {
  it('takes the highest version of each wanted package', () => {
    const found = findPackages(index, new Set(['crun', 'absent']))
    expect([...found.keys()]).toEqual(['crun'])
    expect(found.get('crun')).toEqual({
      name: 'crun',
      version: '1.21-1+deb13u1',
      arch: 'amd64',
      filename: 'pool/main/c/crun/crun_1.21-1+deb13u1_amd64.deb',
      sha256: hash('c'),
      size: 368700,
    })
  })

  it('follows a meta package', () => {
    expect(dependencyNames(index, 'linux-image-cloud-amd64')).toEqual([
      'linux-image-6.12.107+deb13-cloud-amd64',
      'other',
    ])
    expect(dependencyNames(index, 'crun')).toEqual(['libc6', 'libcap2'])
    expect(dependencyNames(index, 'absent')).toEqual([])
  })
})

it('parseRelease reads the SHA256 list and nothing else', () => {
  const text = `Origin: Debian\nMD5Sum:\n ${'1'.repeat(32)} 5 main/x\nSHA256:\n ${hash('d')}      123 main/binary-amd64/Packages.xz\nSHA512:\n ${'e'.repeat(128)} 1 main/y\n`
  expect([...parseRelease(text)]).toEqual([['main/binary-amd64/Packages.xz', { sha256: hash('d'), size: 123 }]])
})

describe('compareVersions orders as dpkg does', () => {
  it.each([
    ['1.0', '1.0', 0],
    ['1.0', '1.1', -1],
    ['1.10', '1.9', 1],
    ['1:0.1', '2.0', 1],
    ['1.0~rc1', '1.0', -1],
    ['1.0-1', '1.0-1+deb13u1', -1],
    ['1.0-1+b2', '1.0-1+b10', -1],
    ['2.41-12+deb13u4', '2.41-12', 1],
    ['1.0a', '1.0+', -1],
    ['6.12.94-1', '6.12.107-1', -1],
  ])('%s %s', (a, b, expected) => {
    expect(Math.sign(compareVersions(a, b))).toBe(expected)
    expect(Math.sign(compareVersions(b, a))).toBe(expected === 0 ? 0 : -expected)
  })
})
