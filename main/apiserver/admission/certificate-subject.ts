// Names in the subject of a PKCS #10 request, without loading a certificate library for two fields.

interface Element {
  readonly tag: number
  readonly start: number
  readonly end: number
}

const sequence = 0x30
const set = 0x31
const objectIdentifier = 0x06
/** 2.5.4.10 */
const organization = '55040a'
/** 2.5.4.3 */
const commonName = '550403'

/** None when the text is no request: the kind's own validation says so. */
export const organizationsOf = (pem: string): string[] => attributesOf(pem, organization)

/** The last one counts, where there are several. */
export const commonNameOf = (pem: string): string | undefined => attributesOf(pem, commonName).at(-1)

function attributesOf(pem: string, wanted: string): string[] {
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([A-Za-z0-9+/=\s]+)-----END/.exec(pem)?.[1]
  if (body === undefined) return []
  const der = Buffer.from(body, 'base64')
  const [request] = elements(der, 0, der.length)
  const [info] = request === undefined ? [] : elements(der, request.start, request.end)
  const subject = info === undefined ? undefined : elements(der, info.start, info.end)[1]
  if (subject?.tag !== sequence) return []
  return elements(der, subject.start, subject.end)
    .filter(({ tag }) => tag === set)
    .flatMap(({ start, end }) => elements(der, start, end))
    .flatMap(({ start, end }) => {
      const [type, value] = elements(der, start, end)
      const isWanted = type?.tag === objectIdentifier && der.toString('hex', type.start, type.end) === wanted
      return isWanted && value !== undefined ? [der.toString('utf8', value.start, value.end)] : []
    })
}

/** The elements in a range, as far as they are well formed. */
function elements(der: Buffer, from: number, to: number): Element[] {
  const found: Element[] = []
  let at = from
  while (at + 2 <= to) {
    const tag = der[at] ?? 0
    const first = der[at + 1] ?? 0
    const lengthBytes = first < 0x80 ? 0 : first - 0x80
    if (lengthBytes > 4 || at + 2 + lengthBytes > to) break
    const length = lengthBytes === 0 ? first : der.readUIntBE(at + 2, lengthBytes)
    const start = at + 2 + lengthBytes
    if (start + length > to) break
    found.push({ tag, start, end: start + length })
    at = start + length
  }
  return found
}
