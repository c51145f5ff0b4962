import { describe, expect, it } from 'vitest'
import { Budget, CelError, compile, CompileError, CostExceeded } from './compile.ts'
import { kubernetesFunctions } from './library/index.ts'
import { type CelType, dyn, int, listOf, mapOf, string } from './types.ts'
import { fromJson, toJson } from './values.ts'

const variables = new Map<string, CelType>([
  ['x', int],
  ['text', string],
  ['names', listOf(string)],
  ['labels', mapOf(string, string)],
  ['any', dyn],
])
const declarations = { variables, functions: kubernetesFunctions }
const values = {
  x: 3n,
  text: 'hello',
  names: ['a', 'b', 'c'],
  labels: fromJson({ app: 'web' }, mapOf(string, string)),
  any: fromJson({ list: [1, 2, { deep: 1.5 }], n: 5, s: 'x', nothing: null }, dyn),
}
const run = (source: string): unknown => toJson(compile(source, declarations).run(values))

describe('expressions', () => {
  it.each<[string, unknown]>([
    ['1 + 2 * 3', 7],
    ['-x % 2', -1],
    ['7 / 2', 3],
    ['1.5 + 2.0', 3.5],
    ['1u + 2u', 3],
    ['0x10 == 16', true],
    ['x > 2 && text == "hello"', true],
    ['1 / 0 > 1 || true', true],
    ['true || 1 / 0 > 1', true],
    ['x == 3 ? "three" : "other"', 'three'],
    ['"b" in names', true],
    ['"app" in labels', true],
    ['labels.app', 'web'],
    ['labels["app"]', 'web'],
    ['has(labels.app) && !has(labels.other)', true],
    ['names.all(n, n.size() == 1)', true],
    ['names.exists(n, n == "c")', true],
    ['names.exists_one(n, n > "b")', true],
    ['names.map(n, n + n)', ['aa', 'bb', 'cc']],
    ['names.map(n, n != "a", n + "!")', ['b!', 'c!']],
    ['names.filter(n, n != "b")', ['a', 'c']],
    ['names.all(i, n, i < 3 && n != "")', true],
    ['names.transformList(i, n, string(i) + n)', ['0a', '1b', '2c']],
    ['labels.transformMap(k, v, k + v)', { app: 'appweb' }],
    ['names.transformMapEntry(i, n, {n: i})', { a: 0, b: 1, c: 2 }],
    ['any.list[2].deep', 1.5],
    ['any.n == 5 && any.n == 5.0', true],
    ['any.nothing == null', true],
    ['any.?missing.orValue(4)', 4],
    ['any.?list[?7].hasValue()', false],
    ['any.?s.optMap(v, v + "!").value()', 'x!'],
    ['[1, ?any.?missing, ?any.?n]', [1, 5]],
    ['{"a": 1, ?"b": any.?missing}', { a: 1 }],
    ['cel.bind(y, x * 2, y + y)', 12],
    ['type(x) == int && type(text) == string', true],
    ['duration("1h30m").getMinutes()', 90],
    ['string(duration("90s"))', '90s'],
    ['timestamp("2024-05-06T07:08:09.5Z").getFullYear()', 2024],
    ['timestamp("2024-05-06T23:30:00Z").getDate("+02:00")', 7],
    ['timestamp("2024-01-02T00:00:00Z") - timestamp("2024-01-01T00:00:00Z") == duration("24h")', true],
    ['"%s is %d and %.2f".format(["a", 5, 1.239])', 'a is 5 and 1.24'],
    ['"a,b".split(",").join("-")', 'a-b'],
    ['"tacocat".substring(0, 4).replace("c", "k")', 'tako'],
    ['" x ".trim().upperAscii()', 'X'],
    ['"abc".matches("^a.c$")', true],
    ['"abc 123 45".find("[0-9]+")', '123'],
    ['"abc 123 45".findAll("[0-9]+")', ['123', '45']],
    ['[1, 2, 2].isSorted() && [3, 1].max() == 3 && [1, 2].sum() == 3', true],
    ['[1, 2, 3].indexOf(2)', 1],
    ['sets.contains([1, 2], [2])', true],
    ['quantity("1Gi").isGreaterThan(quantity("500Mi"))', true],
    ['quantity("50k").add(20).compareTo(quantity("50020"))', 0],
    ['isQuantity("1x")', false],
    ['ip("192.168.0.1").family() == 4 && isIP("::1") && !isIP("1.2.3")', true],
    ['cidr("10.0.0.0/8").containsIP("10.1.2.3")', true],
    ['cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8")', true],
    ['url("https://example.com:80/a?x=1").getHost()', 'example.com:80'],
    ['url("https://example.com:80/a?x=1").getQuery()', { x: ['1'] }],
    ['isURL("nonsense")', false],
    ['semver("1.2.3").isLessThan(semver("1.10.0"))', true],
    ['format.dns1123Label().validate("Not-A-Label").hasValue()', true],
    ['math.greatest(1, 5, 3)', 5],
    ['"\\u00e9\\x41" + r"\\d"', 'éA\\d'],
    ['b"abc" == bytes("abc")', true],
  ])('%s', (source, value) => {
    expect(run(source)).toEqual(value)
  })

  it.each([
    ['x == "a"', "found no matching overload for '_==_' applied to '(int, string)'"],
    ['y', "undeclared reference to 'y' (in container '')"],
    ['text.foo()', "undeclared reference to 'foo' (in container '')"],
    ['text.startsWith(1)', "found no matching overload for 'startsWith' applied to 'string.(int)'"],
    ['x.y', "type 'int' does not support field selection"],
    ['1 +', 'Syntax error'],
    ['names.all(n, 1)', "expected type 'bool' but found 'int'"],
  ])('%s does not compile', (source, message) => {
    expect(() => compile(source, declarations)).toThrow(message)
  })

  it('shows the place of a mistake', () => {
    expect(() => compile('x == "a"', declarations)).toThrow(
      new CompileError('x == "a"', [
        { offset: 2, message: "found no matching overload for '_==_' applied to '(int, string)'" },
      ]),
    )
    try {
      compile('x == "a"', declarations)
    } catch (error) {
      expect(String((error as Error).message)).toBe(
        `ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, string)'\n | x == "a"\n | ..^`,
      )
    }
  })

  it.each([
    ['1 / 0', 'division by zero'],
    ['any.missing', 'no such key: missing'],
    ['names[9]', 'index out of bounds: 9'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ['int("x")', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['any.s + 1', 'no such overload'],
  ])('%s fails when it runs', (source, message) => {
    expect(() => run(source)).toThrow(new CelError(message))
  })
})

describe('hostile expressions', () => {
  const list = `[${Array.from({ length: 100 }, (_, index) => String(index)).join(',')}]`
  it('stop when their budget is used up', () => {
    const source = `${list}.all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, a + b + c + d >= 0))))`
    expect(() => compile(source, declarations).run(values, new Budget())).toThrow(CostExceeded)
  })
  it('cannot nest without end', () => {
    expect(() => compile(`${'('.repeat(5000)}1${')'.repeat(5000)}`, declarations)).toThrow('recursion limit')
    expect(() => compile(`1${'+1'.repeat(5000)}`, declarations)).toThrow(CompileError)
    expect(run(`${'true && '.repeat(2000)}true`)).toBe(true)
  })
  it('cannot stall in a pattern', () => {
    const text = 'a'.repeat(5000)
    expect(compile('text.matches("^(a+)+$")', declarations).run({ ...values, text: `${text}!` })).toBe(false)
    expect(() => run('text.matches("(a")')).toThrow(CelError)
  })
  it('cannot grow without end', () => {
    const doubling = Array.from({ length: 60 }, () => '').reduce(
      (body, _, index) =>
        `cel.bind(s${String(index + 1)}, s${String(index)} + s${String(index)}, ${body === '' ? `s${String(index + 1)}` : body})`,
      '',
    )
    expect(() => run(doubling)).toThrow()
    const growing = `[1,2,3,4,5,6,7,8,9,10].map(i, "${'a'.repeat(1000)}".replace("a", "${'b'.repeat(1000)}").replace("b", "${'c'.repeat(1000)}"))`
    expect(() => run(growing)).toThrow()
  })
})
