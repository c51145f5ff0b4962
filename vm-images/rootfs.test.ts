// The guest's scripts as far as they can be checked without booting: they parse, and machine.json is read as intended.
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { GuestConfig } from '../common/channel/guest-config.ts'
import { rootfsFolder } from './root-tree.ts'

/** Any POSIX awk on the host stands in for busybox'. */
const awk = 'awk'
const hasAwk = spawnSync(awk, ['BEGIN {}']).status === 0
const hasShell = spawnSync('sh', ['-c', 'true']).status === 0

describe.runIf(hasShell)('guest scripts parse', () => {
  const scripts = ['stage1', ...readdirSync(join(rootfsFolder, 'lib')).map((name) => `lib/${name}`)].filter(
    (name) => !name.endsWith('.awk'),
  )
  it.each(scripts)('%s', (name) => {
    expect(() => execFileSync('sh', ['-n', join(rootfsFolder, name)])).not.toThrow()
    if (name !== 'lib/common')
      expect(readFileSync(join(rootfsFolder, name), 'utf8')).toMatch(/^#!\/(usr\/)?bin\/busybox sh\n/)
  })
})

describe.runIf(hasAwk)('machine.json', () => {
  const config: GuestConfig = {
    formatVersion: 1,
    machine: 'node-1',
    machineUid: '0e1b2c3d-1111-4222-8333-944455556666',
    arch: 'arm64',
    bootTimeMs: 1795415000123,
    lan: { mac: '52:54:00:00:00:02', address: '10.77.0.11/16' },
    control: { mac: '52:54:00:00:00:01', address: '10.0.2.15/24' },
    cluster: {
      podCIDR: '10.78.1.0/24',
      clusterCIDR: '10.78.0.0/16',
      serviceCIDR: '10.96.0.0/16',
      apiServiceAddress: '10.96.0.1',
      dnsAddress: '10.96.0.10',
      domain: 'cluster.local',
    },
    agent: { port: 10250, caCert: '-----BEGIN\nabc{}[],:"\\\n', cert: '', key: 'k' },
    images: { registryPort: 5001, pause: 'registry.k8s.io/pause:3.10' },
    labels: { 'a/b': 'c', empty: '' },
    taints: [
      { key: 'x', effect: 'NoSchedule' },
      { key: 'y', effect: 'NoExecute' },
    ],
  }

  it.each([0, 2])('is flattened to path=value lines, indented by %i', (indent) => {
    const output = execFileSync(awk, ['-f', join(rootfsFolder, 'lib/flatten-json.awk')], {
      input: JSON.stringify(config, undefined, indent),
      encoding: 'utf8',
    })
    const lines = output.trimEnd().split('\n')
    expect(lines).toContain('machine=node-1')
    expect(lines).toContain('bootTimeMs=1795415000123')
    expect(lines).toContain('lan.address=10.77.0.11/16')
    expect(lines).toContain('control.mac=52:54:00:00:00:01')
    expect(lines).toContain('images.registryPort=5001')
    expect(lines).toContain('taints.1.key=y')
    expect(lines).toContain('labels.a/b=c')
    // A value with line breaks stays on its line, so that nothing in it can pass for another key.
    expect(lines.filter((line) => line.startsWith('agent.caCert='))).toHaveLength(1)
    expect(lines).toHaveLength(27)
  })

  it('that is no JSON fails', () => {
    expect(
      spawnSync(awk, ['-f', join(rootfsFolder, 'lib/flatten-json.awk')], { input: '{"a": "unfinished' }).status,
    ).toBe(1)
  })
})
