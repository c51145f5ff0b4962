import { describe, expect, it } from 'vitest'
import { familiarName, formatReference, parseImageName, parseReference } from './reference.ts'

const digest = `sha256:${'a1'.repeat(32)}`

describe('parseImageName', () => {
  it.each([
    ['hello', 'docker.io/library/hello:latest'],
    ['hello:1.0', 'docker.io/library/hello:1.0'],
    ['library/hello', 'docker.io/library/hello:latest'],
    ['docker.io/hello', 'docker.io/library/hello:latest'],
    ['index.docker.io/hello:2', 'docker.io/library/hello:2'],
    ['someone/thing', 'docker.io/someone/thing:latest'],
    ['localhost/thing', 'localhost/thing:latest'],
    ['localhost:5000/a/b:v1', 'localhost:5000/a/b:v1'],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
    ['quay.io/x/y__z-w.v:T_.-1', 'quay.io/x/y__z-w.v:T_.-1'],
    ['[::1]:5000/a', '[::1]:5000/a:latest'],
    [`hello@${digest}`, `docker.io/library/hello@${digest}`],
    [`hello:1@${digest}`, `docker.io/library/hello:1@${digest}`],
    ['HOST/path', 'HOST/path:latest'],
  ])('%s -> %s', (text, expected) => {
    expect(formatReference(parseImageName(text))).toBe(expected)
  })
})

describe('parseReference refuses with the words known from docker and the kubelet', () => {
  it.each([
    ['Hello', 'invalid reference format: repository name (library/Hello) must be lowercase'],
    ['docker.io/library/Hello:1', 'invalid reference format: repository name (library/Hello) must be lowercase'],
    ['', 'invalid reference format'],
    ['hello world', 'invalid reference format'],
    ['hello:', 'invalid reference format'],
    ['hello:-1', 'invalid reference format'],
    ['-hello', 'invalid reference format'],
    ['a//b', 'invalid reference format'],
    ['https://quay.io/x', 'invalid reference format'],
    ['hello@sha256:abc', 'invalid reference format'],
    [`hello@sha256:${'a'.repeat(40)}`, 'invalid checksum digest length'],
    [`hello@md5:${'a'.repeat(32)}`, 'unsupported digest algorithm'],
    ['a'.repeat(64), `invalid repository name (${'a'.repeat(64)}), cannot specify 64-byte hexadecimal strings`],
    [`x/${'b'.repeat(255)}`, 'repository name must not be more than 255 characters'],
  ])('%s', (text, message) => {
    expect(() => parseReference(text)).toThrow(message)
  })
})

describe('familiarName', () => {
  it.each([
    ['docker.io/library/hello:1.0', 'hello:1.0'],
    ['docker.io/someone/thing:1', 'someone/thing:1'],
    ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
  ])('%s -> %s', (name, expected) => {
    expect(familiarName(name)).toBe(expected)
  })
})
