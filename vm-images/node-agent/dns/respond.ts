// From a DNS query message to the answer message. Pure but for the records it is given.
import { AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED, TRUNCATED_RESPONSE, type Packet } from 'dns-packet'
import { lookup, type ClusterNames, type DnsRecord } from './records.ts'

/** Short, as the records change with every rollout. */
const ttlSeconds = 5
const plainUdpBytes = 512
const maxUdpBytes = 1232

const rcode = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 } as const

/** Undefined: not worth an answer (not a query at all). `udp` answers are cut to what the client can take. */
export function respond(
  names: ClusterNames,
  query: Buffer,
  transport: 'udp' | 'tcp',
  synced: boolean,
): Buffer | undefined {
  let request: Packet
  try {
    request = decode(query)
  } catch {
    return query.length >= 12 && (query.readUInt16BE(2) & 0x8000) === 0
      ? headerOnly(query, rcode.formatError)
      : undefined
  }
  if (request.type !== 'query') return undefined
  const question = request.questions?.[0]
  if (question === undefined || request.questions?.length !== 1) return headerOnly(query, rcode.formatError)
  // Before the first list a name that exists could not be told from one that does not.
  if (!synced) return headerOnly(query, rcode.serverFailure)
  const found = lookup(names, question.name.toLowerCase().replace(/\.$/, ''), question.type)
  const optRecord = request.additionals?.find(({ type }) => type === 'OPT')
  const answers = found.found ? found.answers : []
  const additionals = found.found ? found.additionals : []
  const code = found.found ? rcode.noError : rcode.nameError
  const needsAuthority = answers.length === 0 && isClusterName(names, question.name)
  const response: Packet = {
    type: 'response',
    id: request.id,
    flags: AUTHORITATIVE_ANSWER | ((request.flags ?? 0) & RECURSION_DESIRED) | code,
    questions: [question],
    answers: answers.map((record) =>
      withTtl(record, record.name === question.name.toLowerCase() ? question.name : record.name),
    ),
    authorities: needsAuthority ? [startOfAuthority(names)] : [],
    additionals: [
      ...additionals.map((record) => withTtl(record, record.name)),
      ...(optRecord === undefined
        ? []
        : [
            {
              type: 'OPT' as const,
              name: '.',
              udpPayloadSize: maxUdpBytes,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ]),
    ],
  }
  const message = encode(response)
  const limit = udpLimit(optRecord)
  if (transport === 'tcp' || message.length <= limit) return message
  const withoutExtras = encode({ ...response, additionals: [], authorities: [] })
  if (withoutExtras.length <= limit) return withoutExtras
  return encode({
    ...response,
    flags: (response.flags ?? 0) | TRUNCATED_RESPONSE,
    answers: [],
    authorities: [],
    additionals: [],
  })
}

const isClusterName = (names: ClusterNames, name: string): boolean => {
  const lower = name.toLowerCase()
  return lower === names.domain || lower.endsWith(`.${names.domain}`)
}

function udpLimit(option: { type: string } | undefined): number {
  if (option === undefined || !('udpPayloadSize' in option)) return plainUdpBytes
  return Math.min(maxUdpBytes, Math.max(plainUdpBytes, Number(option.udpPayloadSize)))
}

type Answer = NonNullable<Packet['answers']>[number]

function withTtl(record: DnsRecord, name: string): Answer {
  return { ...record, name, ttl: ttlSeconds, class: 'IN' }
}

const startOfAuthority = (names: ClusterNames): Answer => ({
  type: 'SOA',
  name: names.domain,
  ttl: ttlSeconds,
  class: 'IN',
  data: {
    mname: `ns.dns.${names.domain}`,
    rname: `hostmaster.${names.domain}`,
    serial: 1,
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttlSeconds,
  },
})

/** The query's own header and question turned into an answer without records. */
function headerOnly(query: Buffer, code: number): Buffer {
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8000 | (query.readUInt16BE(2) & 0x7900) | code, 2)
  return header
}
