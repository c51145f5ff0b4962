import { describe, expect, test } from 'vitest'
import { defaultLab, LabFileError, parseLabFile } from './index.ts'

function problems(text: string): string[] {
  try {
    parseLabFile(text, 'lab.yaml')
  } catch (error) {
    if (error instanceof LabFileError) return error.message.split('\n')
    throw error
  }
  return []
}

const machine = (body: string): string => `apiVersion: lab.orrery.dev/v1alpha1
kind: Machine
metadata:
  name: node-1
${body}`

describe('lab.yaml', () => {
  test('gives its objects in order, other kinds passed through', () => {
    const text = `# my lab
apiVersion: lab.orrery.dev/v1alpha1
kind: Lab
metadata: {name: default}
spec: {powerState: Running, network: {lanCIDR: 10.80.0.0/16}}
---
${machine('spec: {arch: arm64, memoryMiB: 1024, labels: {disk: ssd}, taints: [{key: a, effect: NoSchedule}]}')}
---
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: "1"}}
`
    const objects = parseLabFile(text, 'lab.yaml')
    expect(objects.map(({ kind, metadata }) => `${kind}/${metadata.name ?? ''}`)).toEqual([
      'Lab/default',
      'Machine/node-1',
      'ConfigMap/a',
    ])
    expect(objects[1]).toMatchObject({ spec: { arch: 'arm64', memoryMiB: 1_024 } })
  })

  test.each<[string, string, string[]]>([
    [
      'an unknown architecture',
      machine('spec:\n  arch: riscv64\n'),
      ['lab.yaml:6:3: spec.arch: "riscv64" is no architecture that a machine can have (write amd64 or arm64)'],
    ],
    [
      'another name of an architecture',
      machine('spec: {arch: x86_64}\n'),
      ['lab.yaml:5:8: spec.arch: "x86_64" is no architecture that a machine can have (write amd64)'],
    ],
    [
      'too little memory',
      machine('spec:\n  arch: amd64\n  memoryMiB: 64\n'),
      ['lab.yaml:7:3: spec.memoryMiB: 64 is less than 256 MiB, too small to boot a node (write at least 256)'],
    ],
    [
      'memory with a unit',
      machine('spec:\n  arch: amd64\n  memoryMiB: 2Gi\n'),
      ['lab.yaml:7:3: spec.memoryMiB: "2Gi" is not a whole number (write 2048 (MiB))'],
    ],
    [
      'a misspelt field',
      machine('spec:\n  arch: amd64\n  memory: 512\n'),
      ['lab.yaml:7:3: spec.memory: no such field (did you mean memoryMiB?)'],
    ],
    [
      'a field in the wrong place',
      machine('arch: amd64\nspec: {arch: amd64}\n'),
      ['lab.yaml:5:1: arch: no such field (it belongs into spec: indent it below)'],
    ],
    ['a missing arch', machine('spec:\n  cpus: 2\n'), ['lab.yaml:5:1: spec.arch: missing (add arch:)']],
    [
      'a bad name',
      machine('spec: {arch: amd64}').replace('node-1', 'Node_1'),
      [
        'lab.yaml:4:3: metadata.name: "Node_1" cannot be a host name (use at most 63 small letters, digits and "-", beginning and ending with a letter or digit)',
      ],
    ],
    [
      'several mistakes at once',
      machine('spec:\n  arch: mips\n  cpus: 0\n  taints:\n    - {key: a, effect: Never}\n'),
      [
        'lab.yaml:6:3: spec.arch: "mips" is no architecture that a machine can have (write amd64 or arm64)',
        'lab.yaml:7:3: spec.cpus: 0 is less than 1 CPUs (write at least 1)',
        'lab.yaml:9:16: spec.taints[0].effect: "Never" is not known (write one of: NoSchedule, PreferNoSchedule, NoExecute)',
      ],
    ],
    [
      'the wrong API version',
      machine('spec: {arch: amd64}').replace('v1alpha1', 'v1'),
      ['lab.yaml:1:1: apiVersion: "lab.orrery.dev/v1" is not known (write lab.orrery.dev/v1alpha1)'],
    ],
    [
      'no API group',
      machine('spec: {arch: amd64}').replace('lab.orrery.dev/v1alpha1', 'v1'),
      [
        'lab.yaml:1:1: apiVersion: a Machine has apiVersion lab.orrery.dev/v1alpha1, not "v1" (write lab.orrery.dev/v1alpha1)',
      ],
    ],
    [
      'a name that is a number',
      machine('spec: {arch: amd64}').replace('node-1', '1'),
      ['lab.yaml:4:3: metadata.name: not a string (give the object a name, in quotes when it looks like a number)'],
    ],
    [
      'two of one name',
      `${machine('spec: {arch: amd64}')}\n---\n${machine('spec: {arch: amd64}')}`,
      ['lab.yaml:10:3: metadata.name: Machine "node-1" is there twice, first in line 4 (rename or remove one of them)'],
    ],
    [
      'a second lab',
      'apiVersion: lab.orrery.dev/v1alpha1\nkind: Lab\nmetadata:\n  name: other\n',
      ['lab.yaml:4:3: metadata.name: there is one lab and it is called "default", not "other" (write name: default)'],
    ],
    [
      'tabs',
      'apiVersion: v1\nkind: X\nmetadata:\n\tname: a\n',
      ['lab.yaml:4:1: not valid YAML: Tabs are not allowed as indentation (indent with spaces, not tabs)'],
    ],
    [
      'a list where an object belongs',
      '- a\n- b\n',
      ['lab.yaml:1:1: not an object (write fields: apiVersion, kind, metadata, spec)'],
    ],
    [
      'nothing',
      '# empty\n',
      [
        'lab.yaml:1:1: the file holds no object (start with a Machine: apiVersion: lab.orrery.dev/v1alpha1, kind: Machine, metadata.name, spec.arch)',
      ],
    ],
  ])('%s', (_, text, wanted) => {
    expect(problems(text)).toEqual(wanted)
  })

  test.each([
    ['an unclosed quote', 'kind: "x\nmetadata: {}\n'],
    ['an unclosed bracket', 'metadata: {name: a\n'],
    ['a key twice', 'kind: a\nkind: b\n'],
    ['binary', '\u0000\u0001\u0002'],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghij'
        .split('')
        .map(
          (key, index) =>
            `${key}: &${key} [${Array.from({ length: 9 }, () => `*${'abcdefghi'[index] ?? 'a'}`).join(',')}]`,
        )
        .join('\n')}\n`,
    ],
    ['__proto__', '__proto__: {a: 1}\nkind: x\n'],
  ])('%s is refused with a place, nothing else happens', (_, text) => {
    expect(problems(text)[0]).toMatch(/^lab\.yaml:\d+:\d+: /)
    expect(({} as Record<string, unknown>)['a']).toBeUndefined()
  })
})

describe('default lab', () => {
  test('one machine of this computer’s architecture and one of the other', () => {
    expect(
      defaultLab({ hostArch: 'arm64' }).map(({ kind, metadata, spec }) => [
        kind,
        metadata.name,
        'arch' in spec ? spec.arch : undefined,
      ]),
    ).toEqual([
      ['Lab', 'default', undefined],
      ['Machine', 'node-1', 'arm64'],
      ['Machine', 'node-2', 'amd64'],
    ])
  })
  test('as asked', () => {
    const [, ...machines] = defaultLab({
      hostArch: 'amd64',
      machines: 3,
      archs: ['arm64', 'amd64'],
      memoryMiB: 768,
      cpus: 2,
    })
    expect(machines.map(({ metadata, spec }) => [metadata.name, spec])).toEqual([
      ['node-1', { arch: 'arm64', memoryMiB: 768, cpus: 2 }],
      ['node-2', { arch: 'amd64', memoryMiB: 768, cpus: 2 }],
      ['node-3', { arch: 'arm64', memoryMiB: 768, cpus: 2 }],
    ])
  })
})
