// Turns the Container Runtime Interface's api.proto (Debian package golang-github-kubernetes-cri-api-dev) into message code for the
// node agent: build/generated/cri/api_pb.{js,d.ts}. A build output, never committed. Needs no protoc: protobufjs parses the file,
// protoc-gen-es (as its usual plugin process) writes the code.
// Usage: node scripts/generate/cri.ts API_PROTO [OUT_FOLDER]
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  type DescriptorProto,
} from '@bufbuild/protobuf/wkt'
import protobuf from 'protobufjs'

interface DescriptorRoot {
  toDescriptor(syntax: string): protobuf.Message
}

const require = createRequire(import.meta.url)

/** Writes api_pb.js and api_pb.d.ts into `outFolder` and returns their paths. */
export function generateCri(options: { apiProto: string; outFolder: string }): string[] {
  const descriptor = require('protobufjs/ext/descriptor') as { FileDescriptorSet: protobuf.Type }
  // The gogoproto options only steer Go's code generator.
  const source = readFileSync(options.apiProto, 'utf8')
    .replace(/^import "github\.com\/gogo.*$/m, '')
    .replace(/^option \(gogoproto.*$/gm, '')
  const { root } = protobuf.parse(source, new protobuf.Root(), { keepCase: true })
  const set = fromBinary(
    FileDescriptorSetSchema,
    descriptor.FileDescriptorSet.encode((root as unknown as DescriptorRoot).toDescriptor('proto3')).finish(),
  )
  const file = set.file.find((candidate) => candidate.package === 'runtime.v1')
  if (file === undefined) throw new Error(`${options.apiProto} declares no package runtime.v1`)
  for (const method of file.service.flatMap((service) => service.method)) {
    method.inputType = absolute(method.inputType)
    method.outputType = absolute(method.outputType)
  }
  for (const message of file.messageType) qualifyFields(message, '.runtime.v1')
  const request = create(CodeGeneratorRequestSchema, {
    fileToGenerate: ['api.proto'],
    parameter: 'target=js+dts,import_extension=js',
    protoFile: [create(FileDescriptorProtoSchema, { ...file, name: 'api.proto', syntax: 'proto3' })],
  })
  const plugin = spawnSync(process.execPath, [require.resolve('@bufbuild/protoc-gen-es/bin/protoc-gen-es')], {
    input: toBinary(CodeGeneratorRequestSchema, request),
    maxBuffer: 64 << 20,
  })
  if (plugin.status !== 0) throw new Error(`protoc-gen-es failed: ${plugin.stderr.toString()}`)
  const response = fromBinary(CodeGeneratorResponseSchema, plugin.stdout)
  if (response.error !== '') throw new Error(`protoc-gen-es failed: ${response.error}`)
  mkdirSync(options.outFolder, { recursive: true })
  return response.file.map((generated) => {
    const path = join(options.outFolder, generated.name)
    writeFileSync(path, generated.content)
    return path
  })
}

/** Descriptors want absolute type names; protobufjs writes them as the file does. */
function qualifyFields(message: DescriptorProto, scope: string): void {
  const inside = `${scope}.${message.name}`
  const nested = new Set([...message.nestedType, ...message.enumType].map((type) => type.name))
  for (const field of message.field) {
    if (field.typeName === '' || field.typeName.startsWith('.')) continue
    field.typeName = nested.has(field.typeName) ? `${inside}.${field.typeName}` : absolute(field.typeName)
  }
  for (const type of message.nestedType) qualifyFields(type, inside)
}

const absolute = (type: string): string => (type.startsWith('.') ? type : `.runtime.v1.${type}`)

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [apiProto, outFolder = 'build/generated/cri'] = process.argv.slice(2)
  if (apiProto === undefined) throw new Error('usage: node scripts/generate/cri.ts API_PROTO [OUT_FOLDER]')
  for (const path of generateCri({ apiProto, outFolder: resolve(outFolder) })) console.log(path)
}
