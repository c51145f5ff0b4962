// Rules for names, label keys and the like, with upstream's messages word for word. Each function returns all messages, none
// when the value is right. Lengths are in UTF-8 bytes. Source: apimachinery pkg/util/validation.

const encoder = new TextEncoder()

/** Length in UTF-8 bytes. */
export function byteLength(text: string): number {
  // Nearly all names are ASCII: count without encoding.
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > 0x7f) return encoder.encode(text).length
  }
  return text.length
}

export const maxLengthMessage = (bytes: number): string => `must be no more than ${String(bytes)} bytes`
export const rangeMessage = (low: number, high: number): string =>
  `must be between ${String(low)} and ${String(high)}, inclusive`
export const emptyMessage = 'must be non-empty'

/** `message (e.g. 'a',  or 'b', regex used for validation is '…')`, with upstream's punctuation. */
export function patternMessage(message: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`
  const shown = examples.map((example) => `'${example}', `).join(' or ')
  return `${message} (e.g. ${shown}regex used for validation is '${pattern}')`
}

interface Rule {
  maxBytes: number
  pattern: string
  message: string
  examples: string[]
}

/** A rule of "at most so long, and matches": most of them are. */
function rule({ maxBytes, pattern, message, examples }: Rule): (value: string) => string[] {
  const expression = new RegExp(`^${pattern}$`)
  const patternError = patternMessage(message, pattern, ...examples)
  const lengthError = maxLengthMessage(maxBytes)
  return (value) => {
    const errors: string[] = []
    if (byteLength(value) > maxBytes) errors.push(lengthError)
    // A hostile name is not run through the expression: it is too long anyway, and the answer stays cheap.
    const matches = value.length <= 4096 && expression.test(value)
    if (!matches) errors.push(patternError)
    return errors
  }
}

const dnsLabelPattern = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const dnsSubdomainPattern = `${dnsLabelPattern}(\\.${dnsLabelPattern})*`
const qualifiedNamePattern = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'

export const validateDnsLabel = rule({
  maxBytes: 63,
  pattern: dnsLabelPattern,
  message:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  examples: ['my-name', '123-abc'],
})

export const validateDnsSubdomain = rule({
  maxBytes: 253,
  pattern: dnsSubdomainPattern,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  examples: ['example.com'],
})

export const validateDns1035Label = rule({
  maxBytes: 63,
  pattern: '[a-z]([-a-z0-9]*[a-z0-9])?',
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  examples: ['my-name', 'abc-123'],
})

export const validateWildcardDnsSubdomain = rule({
  maxBytes: 253,
  pattern: `\\*\\.${dnsSubdomainPattern}`,
  message:
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  examples: ['*.example.com'],
})

export const validateLabelValue = rule({
  maxBytes: 63,
  pattern: `(${qualifiedNamePattern})?`,
  message:
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  examples: ['MyValue', 'my_value', '12345'],
})

const unbounded = Number.POSITIVE_INFINITY

export const validateHttpHeaderName = rule({
  maxBytes: unbounded,
  pattern: '[-A-Za-z0-9]+',
  message: "a valid HTTP header must consist of alphanumeric characters or '-'",
  examples: ['X-Header-Name'],
})

export const validatePercent = rule({
  maxBytes: unbounded,
  pattern: '[0-9]+%',
  message: "a valid percent string must be a numeric string followed by an ending '%'",
  examples: ['1%', '93%'],
})

const configKeyRule = rule({
  maxBytes: 253,
  pattern: '[-._a-zA-Z0-9]+',
  message: "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  examples: ['key.name', 'KEY_NAME', 'key-name'],
})

/** Keys of ConfigMap and Secret data: they become file names, so no way out of the directory. */
export const validateConfigMapKey = (value: string): string[] => [...configKeyRule(value), ...climbing(value)]

/** What the API accepts: any printable ASCII except "=". */
export function validateEnvironmentName(value: string): string[] {
  const errors: string[] = []
  if (value === '') errors.push(`environment variable name ${emptyMessage}`)
  if (!/^[ -<>-~]*$/.test(value)) {
    errors.push("a valid environment variable name must consist only of printable ASCII characters other than '='")
  }
  return errors
}

function climbing(value: string): string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

const qualifiedNameExpression = new RegExp(`^${qualifiedNamePattern}$`)
const qualifiedNameError = patternMessage(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualifiedNamePattern,
  'MyName',
  'my.name',
  '123-abc',
)

/** Label and annotation keys, resource names, finalizers: "name" or "example.com/name". */
export function validateQualifiedName(value: string): string[] {
  const parts = value.split('/', 3)
  if (parts.length > 2) {
    return [
      `a qualified name ${qualifiedNameError} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const errors: string[] = []
  const [first = '', second] = parts
  if (second !== undefined) {
    if (first === '') errors.push(`prefix part ${emptyMessage}`)
    else errors.push(...validateDnsSubdomain(first).map((message) => `prefix part ${message}`))
  }
  const name = second ?? first
  if (name === '') errors.push(`name part ${emptyMessage}`)
  else if (byteLength(name) > 63) errors.push(`name part ${maxLengthMessage(63)}`)
  if (name.length > 4096 || !qualifiedNameExpression.test(name)) errors.push(`name part ${qualifiedNameError}`)
  return errors
}

/** Names that only must be usable in a URL path (RBAC objects). */
export function validatePathSegment(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter((illegal) => value.includes(illegal)).map((illegal) => `may not contain '${illegal}'`)
}

export const validatePortNumber = (port: number): string[] =>
  Number.isInteger(port) && port >= 1 && port <= 65535 ? [] : [rangeMessage(1, 65535)]

export function validatePortName(value: string): string[] {
  const errors: string[] = []
  if (byteLength(value) > 15) errors.push(maxLengthMessage(15))
  if (!/^[-a-z0-9]+$/.test(value)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  }
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)')
  if (value.includes('--')) errors.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) errors.push('must not begin or end with a hyphen')
  return errors
}

/** "any": the kind does not care, or has a rule of its own among its field errors. */
export type NameRule = 'dns-subdomain' | 'dns-label' | 'dns-label-1035' | 'path-segment' | 'any'

const nameRules: Record<NameRule, (value: string) => string[]> = {
  'dns-subdomain': validateDnsSubdomain,
  'dns-label': validateDnsLabel,
  'dns-label-1035': validateDns1035Label,
  'path-segment': validatePathSegment,
  any: () => [],
}

/** Checks a name by a kind's rule. `prefix`: the value is a generateName, which may end in "-". */
export function validateName(ruleName: NameRule, value: string, prefix = false): string[] {
  const masked = prefix && value.length > 1 && value.endsWith('-') ? `${value.slice(0, -2)}a` : value
  return nameRules[ruleName](masked)
}
