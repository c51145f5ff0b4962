// The formats of strings that the API server checks; others are documentation. Source: kube-openapi pkg/validation/strfmt.
import { isIP, isIPv4, isIPv6 } from 'node:net'

function isDateTime(value: string): boolean {
  const match = /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)$/.exec(value)
  if (match === null) return false
  const [, date = '', hour, minute, second] = match
  return isCalendarDate(date) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60
}

function isCalendarDate(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) return false
  const moment = Date.parse(`${value}T00:00:00Z`)
  // The 31st of a shorter month is no date.
  return !Number.isNaN(moment) && new Date(moment).toISOString().startsWith(value)
}

function isUri(value: string): boolean {
  return /^(?:[A-Za-z][A-Za-z0-9+.-]*:|\/)\S*$/.test(value) && URL.canParse(value, 'http://localhost')
}

function isCidr(value: string): boolean {
  const [address = '', bits = '', more] = value.split('/')
  if (more !== undefined || isIP(address) === 0 || !/^\d{1,3}$/.test(bits)) return false
  return Number(bits) <= (isIPv4(address) ? 32 : 128)
}

const hex = '[0-9a-f]'
const uuid = (version: string, variant: string): RegExp =>
  new RegExp(`^${hex}{8}-?${hex}{4}-?${version}${hex}{3}-?${variant}${hex}{3}-?${hex}{12}$`, 'i')
const [anyUuid, uuid3, uuid4, uuid5] = [uuid(hex, hex), uuid('3', hex), uuid('4', '[89ab]'), uuid('5', '[89ab]')]

const checks: Readonly<Record<string, (value: string) => boolean>> = {
  date: isCalendarDate,
  'date-time': isDateTime,
  datetime: isDateTime,
  duration: (value) =>
    /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)\s*(?:ns|us|µs|ms|s|m|h|d|w|[a-z]+)(?:\s*\d+(?:\.\d*)?\s*[a-zµ]+)*$/.test(value) ||
    value === '0',
  byte: (value) => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value),
  email: (value) => value.length <= 320 && /^[^\s@<>]+@[^\s@<>]+$/.test(value),
  hostname: (value) =>
    value.length <= 255 &&
    /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$/.test(
      value,
    ),
  ipv4: isIPv4,
  ipv6: isIPv6,
  cidr: isCidr,
  mac: (value) => /^(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(value),
  uri: isUri,
  uuid: (value) => anyUuid.test(value),
  uuid3: (value) => uuid3.test(value),
  uuid4: (value) => uuid4.test(value),
  uuid5: (value) => uuid5.test(value),
  bsonobjectid: (value) => /^[0-9a-f]{24}$/i.test(value),
  hexcolor: (value) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(value),
  'k8s-short-name': (value) => value.length <= 63 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(value),
  'k8s-long-name': (value) =>
    value.length <= 253 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/.test(value),
}

/** False when the text is not what its format says. */
export const checkFormat = (format: string, value: string): boolean =>
  !Object.hasOwn(checks, format) || checks[format]?.(value) === true
