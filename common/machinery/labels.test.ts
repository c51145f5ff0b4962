import { describe, expect, it } from 'vitest'
import {
  everything,
  formatLabelSelector,
  formatSelector,
  matchesLabels,
  nothing,
  parseLabelSelector,
  selectorFromMap,
  selectorFromObject,
} from './labels.ts'

describe('string form', () => {
  it.each([
    ['app=web', { app: 'web' }, true],
    ['app==web', { app: 'db' }, false],
    ['app!=web', {}, true],
    ['app!=web', { app: 'web' }, false],
    ['app in (web, db)', { app: 'db' }, true],
    ['app in (web,db)', {}, false],
    ['app notin (web)', {}, true],
    ['app notin (web)', { app: 'web' }, false],
    ['app', { app: '' }, true],
    ['!app', {}, true],
    ['!app', { app: 'x' }, false],
    ['app=', { app: '' }, true],
    ['x in (,a)', { x: '' }, true],
    ['in=notin', { in: 'notin' }, true],
    ['tier in (a), app=web ,!debug', { tier: 'a', app: 'web' }, true],
    ['cores>4', { cores: '8' }, true],
    ['cores>4', { cores: 'many' }, false],
    ['cores<4', {}, false],
    ['example.com/role=a', { 'example.com/role': 'a' }, true],
    ['', { anything: 'x' }, true],
    ['constructor', {}, false],
    ['toString notin (x)', {}, true],
  ])('%s on %j is %s', (text, labels, expected) => {
    expect(matchesLabels(parseLabelSelector(text), labels as Record<string, string>)).toBe(expected)
  })

  it.each([
    ['=a', "found '=', expected: !, identifier, or 'end of string'"],
    ['a=b,', "found '', expected: identifier after ','"],
    ['a b', "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in (b', "unable to parse requirement: found '', expected: ',', or ')'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['/a=b', 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'],
    ['a=b)', "found ')', expected: ',' or 'end of string'"],
  ])('%s is refused: %s', (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message)
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 400 }))
  })

  it('refuses values that no label can have', () => {
    expect(() => parseLabelSelector('a=b_')).toThrow(/Invalid value: "b_": a valid label must be/)
  })

  it('prints requirements sorted by key', () => {
    expect(formatSelector(parseLabelSelector('b in (y,x),a!=1,!c'))).toBe('a!=1,b in (x,y),!c')
  })
})

describe('object form', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'debug', operator: 'DoesNotExist' },
    ],
  }

  it('needs all requirements', () => {
    const parsed = selectorFromObject(selector)
    expect(matchesLabels(parsed, { app: 'web', tier: 'b' })).toBe(true)
    expect(matchesLabels(parsed, { app: 'web', tier: 'b', debug: '' })).toBe(false)
    expect(matchesLabels(parsed, { tier: 'b' })).toBe(false)
  })

  it('selects nothing when missing and everything when empty', () => {
    expect(matchesLabels(selectorFromObject(undefined), {})).toBe(false)
    expect(matchesLabels(selectorFromObject({}), {})).toBe(true)
    expect(matchesLabels(nothing, { '': '' })).toBe(false)
    expect(matchesLabels(everything, undefined)).toBe(true)
    expect(matchesLabels(selectorFromMap({}), {})).toBe(false)
  })

  it('prints as kubectl does', () => {
    expect(formatLabelSelector(selector)).toBe('app=web,!debug,tier in (a,b)')
    expect(formatLabelSelector(undefined)).toBe('<none>')
  })

  it('refuses unknown operators', () => {
    expect(() => selectorFromObject({ matchExpressions: [{ key: 'a', operator: 'Like' }] })).toThrow(
      '"Like" is not a valid label selector operator',
    )
  })
})
