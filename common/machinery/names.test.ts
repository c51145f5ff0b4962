import { describe, expect, it } from 'vitest'
import {
  validateConfigMapKey,
  validateDns1035Label,
  validateDnsLabel,
  validateDnsSubdomain,
  validateEnvironmentName,
  validateLabelValue,
  validateName,
  validatePathSegment,
  validatePortName,
  validatePortNumber,
  validateQualifiedName,
} from './names.ts'

const long = (length: number): string => 'a'.repeat(length)

describe('right names', () => {
  it.each([
    [validateDnsLabel, ['a', '1-a', long(63)]],
    [validateDnsSubdomain, ['a', 'a.b-c.1', long(253)]],
    [validateDns1035Label, ['a', 'a-1']],
    [validateQualifiedName, ['a', 'A_b.c', 'example.com/a', `${'a'.repeat(63)}`]],
    [validateLabelValue, ['', 'a', 'A_b.c-d']],
    [validateConfigMapKey, ['a', '__proto__', '.a', 'a..b']],
    [validateEnvironmentName, ['A', '1', 'a b', 'with-{}']],
    [validatePathSegment, ['system:node', 'a b', '🙂']],
    [validatePortName, ['http', 'a-1']],
  ])('%o', (validate, names) => {
    for (const name of names) expect(validate(name), name).toEqual([])
  })
})

describe('wrong names, word for word', () => {
  it.each([
    [
      validateDnsLabel('A'),
      [
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
      ],
    ],
    [validateDnsLabel(long(64)), ['must be no more than 63 bytes']],
    [
      validateDnsSubdomain('a_b'),
      [
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
      ],
    ],
    [
      validateQualifiedName('a/b/c'),
      [
        "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
      ],
    ],
    [validatePathSegment('..'), ["may not be '..'"]],
    [validatePathSegment('a/b%'), ["may not contain '/'", "may not contain '%'"]],
    [validateConfigMapKey('..'), ["must not be '..'"]],
    [validateConfigMapKey('..a'), ["must not start with '..'"]],
    [validatePortNumber(0), ['must be between 1 and 65535, inclusive']],
    [
      validateEnvironmentName('a=b'),
      ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
    ],
    [
      validatePortName('-8--0-'),
      [
        'must contain at least one letter (a-z)',
        'must not contain consecutive hyphens',
        'must not begin or end with a hyphen',
      ],
    ],
  ])('%#', (errors, expected) => {
    expect(errors).toEqual(expected)
  })

  it('gives all messages of a qualified name', () => {
    expect(validateQualifiedName('/')).toHaveLength(3)
    expect(validateQualifiedName('/')[1]).toBe('name part must be non-empty')
  })

  it('lets a generateName end in a hyphen', () => {
    expect(validateName('dns-label', 'web-', true)).toEqual([])
    expect(validateName('dns-label', 'web-')).toHaveLength(1)
  })

  it('answers quickly to hostile input', () => {
    const hostile = `${'a'.repeat(2_000_000)}!`
    const start = performance.now()
    for (const validate of [validateDnsSubdomain, validateQualifiedName, validateLabelValue, validateConfigMapKey]) {
      expect(validate(hostile).length).toBeGreaterThan(0)
    }
    expect(performance.now() - start).toBeLessThan(2000)
  })
})
