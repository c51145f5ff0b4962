// Request bodies: read under a size limit and parsed by content type. The seam for further encodings is `parseBody`.
import { endOfString, findDuplicateFields } from '../../../common/machinery/schema/duplicate-fields.ts'
import {
  badRequest,
  requestTooLarge,
  StatusError,
  timeoutError,
  unsupportedMediaType,
} from '../../../common/machinery/status.ts'
import type { HttpRequest } from '../apiserver.ts'
import { decodeCbor } from '../cbor/decode.ts'
import { cborMediaType } from '../cbor/media-types.ts'
import { decodeProtobuf } from '../protobuf/decode.ts'
import { wireFacts } from '../protobuf/load-facts.ts'
import { hasAtMost, type YamlContent } from '../yaml/read-yaml.ts'
import type { YamlReader } from '../yaml/yaml-reader.ts'
import { jsonProblem } from './json-problem.ts'

/** As upstream's limit on write requests: what a store entry may cost, with room for the encoding. */
export const maxBodyBytes = 3 * 1024 * 1024
/** Deeper documents are attacks, not objects; recursive code further in relies on this. */
const maxDepth = 200
/**
 * Values in one document. What is done with each of them adds up on the one thread that serves everybody, and whole objects, dense as
 * they are, have one in twenty bytes; upstream ends sooner still, where an object and the names of its owned fields exceed what etcd takes.
 */
const maxValues = 128 * 1024
/** What any document may be, however it is encoded. */
export const documentLimits = { maxDepth, maxValues }
const readDeadlineMs = 60_000

export async function readBody(req: HttpRequest, limit = maxBodyBytes): Promise<Buffer> {
  const declared = Number(req.headers['content-length'] ?? '0')
  if (declared > limit) throw tooLarge(limit)
  return await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const deadline = setTimeout(() => {
      fail(timeoutError('the request body did not arrive in time'))
    }, readDeadlineMs)
    const cleanUp = (): void => {
      clearTimeout(deadline)
      req.off('data', onData)
      req.off('end', onEnd)
      req.off('error', fail)
      req.off('aborted', onAborted)
    }
    const fail = (error: Error): void => {
      cleanUp()
      reject(error instanceof StatusError ? error : badRequest(`the request body could not be read: ${error.message}`))
    }
    const onAborted = (): void => {
      fail(badRequest('the client went away'))
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > limit) fail(tooLarge(limit))
      else chunks.push(chunk)
    }
    const onEnd = (): void => {
      cleanUp()
      const [first] = chunks
      resolve(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks))
    }
    req.on('data', onData)
    req.on('end', onEnd)
    req.on('error', fail)
    req.on('aborted', onAborted)
  })
}

const tooLarge = (limit: number): StatusError => requestTooLarge(`Request entity too large: limit is ${String(limit)}`)

/** Media type without parameters, lower case; "application/json" when absent. */
export function mediaTypeOf(contentType: string | undefined): string {
  if (contentType === undefined || contentType === '') return 'application/json'
  const semicolon = contentType.indexOf(';')
  return (semicolon < 0 ? contentType : contentType.slice(0, semicolon)).trim().toLowerCase()
}

/** As upstream lists them: CBOR is spoken with those who ask for it. */
const accepted = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'

/** The value in the body; throws BadRequest for broken text and 415 for an encoding that is not spoken here. */
export async function parseBody(bytes: Buffer, contentType: string | undefined, yaml: YamlReader): Promise<unknown> {
  switch (mediaTypeOf(contentType)) {
    case 'application/json':
      return parseJson(bytes.toString('utf8'), "couldn't get version/kind; json parse error: ")
    case 'application/yaml':
      return (await parseYaml(bytes.toString('utf8'), yaml)).value
    case 'application/vnd.kubernetes.protobuf':
      return requireFew(decodeProtobuf(bytes, wireFacts()), bytes.length)
    case cborMediaType:
      return requireFew(decodeCbor(bytes), bytes.length)
    default:
      throw unsupportedMediaType(
        `the body of the request was in an unknown format - accepted media types include: ${accepted}`,
      )
  }
}

/** `prefix`: words before what is wrong. */
export function parseJson(text: string, prefix = ''): unknown {
  requireModest(text)
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest(prefix + jsonProblem(text))
  }
}

/** The start of a body that could not be read, as messages quote it. */
export function summaryOf(bytes: Buffer): string {
  const shown = bytes.subarray(0, 30)
  const text = bytes[0] === 0x7b ? shown.toString('utf8') : shown.toString('hex')
  return text === '' ? '<empty>' : bytes.length > shown.length ? `${text} ...` : text
}

/** Most clients that say YAML send JSON, which is YAML too and is read thirty times as fast; its duplicates are not searched. */
export async function parseYaml(text: string, yaml: YamlReader): Promise<YamlContent> {
  if (text.startsWith('{')) {
    requireModest(text)
    try {
      return { value: JSON.parse(text), duplicates: [] }
    } catch {
      // A flow mapping that is not JSON, or broken: the YAML parser knows, and says what is wrong in its own words.
    }
  }
  return await yaml.read(text)
}

/** An apply configuration, which is YAML. Throws BadRequest. */
export async function parseApply(text: string, yaml: YamlReader): Promise<YamlContent> {
  const content = await parseYaml(text, yaml)
  // Duplicates are told by their lines, which the YAML parser knows.
  return text.startsWith('{') && content.duplicates.length === 0 && findDuplicateFields(text).length > 0
    ? await yaml.read(text)
    : content
}

/** Counts without parsing, so that a bomb costs one pass over its bytes. */
function requireModest(text: string): void {
  let depth = 0
  let values = 0
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === 0x22) index = endOfString(text, index)
    else if (code === 0x2c) values += 1
    else if (code === 0x7b || code === 0x5b) {
      values += 1
      depth += 1
      if (depth > maxDepth)
        throw badRequest(`couldn't get version/kind; json parse error: exceeded max depth ${String(maxDepth)}`)
    } else if (code === 0x7d || code === 0x5d) depth -= 1
    if (values > maxValues) throw tooManyValues()
  }
}

/** The same for what is decoded already and no deeper than decoders allow. `size`: of its encoding, in bytes. */
function requireFew(value: unknown, size: number): unknown {
  // Each value takes a byte at least, in any encoding.
  if (size > maxValues && !hasAtMost(maxValues, value)) throw tooManyValues()
  return value
}

const tooManyValues = (): StatusError =>
  requestTooLarge(`Request entity too large: more than ${String(maxValues)} values`)
