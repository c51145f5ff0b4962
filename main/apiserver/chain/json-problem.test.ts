import { expect, it } from 'vitest'
import { jsonProblem } from './json-problem.ts'

it.each([
  ['', 'unexpected end of JSON input'],
  ['{"a', 'unexpected end of JSON input'],
  ['{"a":1', 'unexpected end of JSON input'],
  ['kind: Pod', "invalid character 'k' looking for beginning of value"],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['{"a":1 "b"', `invalid character '"' after object key:value pair`],
  ['[1 2]', "invalid character '2' after array element"],
  ['{} x', "invalid character 'x' after top-level value"],
  ['"\n"', "invalid character '\\n' in string literal"],
  ['"\\q"', "invalid character 'q' in string escape code"],
  ['"\\u00g0"', "invalid character 'g' in \\u hexadecimal character escape"],
  ['-x', "invalid character 'x' in numeric literal"],
  ['1.x', "invalid character 'x' after decimal point in numeric literal"],
  ['[1ex]', "invalid character 'x' in exponent of numeric literal"],
  ['[trux]', "invalid character 'x' in literal true (expecting 'e')"],
  ['[1,]', "invalid character ']' looking for beginning of value"],
])('%j: %s', (text, problem) => {
  expect(jsonProblem(text)).toBe(problem)
})
