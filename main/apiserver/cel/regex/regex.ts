// Regular expressions that take time linear in the text, whatever the pattern: RE2's syntax run on a Pike machine. Used wherever a
// pattern comes from a client.
import { type Node, parseRegex, type Ranges, RegexError } from './syntax.ts'

export { RegexError }

type Assertion = Extract<Node, { kind: 'assert' }>['what']
type Instruction =
  | { op: 'set'; ranges: Ranges }
  | { op: 'split'; first: number; second: number }
  | { op: 'jump'; to: number }
  | { op: 'assert'; what: Assertion }
  | { op: 'match' }

const maxInstructions = 20_000
/** Instructions times characters: about a tenth of a second. */
const maxSteps = 20_000_000

/** Matching would take too long. */
export class RegexTooExpensive extends Error {
  constructor() {
    super('regular expression is too expensive for this text')
  }
}

export class Regex {
  readonly #program: readonly Instruction[]

  /** Throws RegexError. */
  constructor(pattern: string) {
    const program: Instruction[] = []
    compile(parseRegex(pattern), program, pattern)
    program.push({ op: 'match' })
    this.#program = program
  }

  test(text: string): boolean {
    return this.#run(codePoints(text), 0, true) !== undefined
  }

  /** Leftmost match, from code point `from` on. */
  find(text: readonly number[], from = 0): { start: number; end: number } | undefined {
    return this.#run(text, from, false)
  }

  /** All matches that do not overlap, at most `limit` (all when negative). */
  findAll(text: string, limit: number): string[] {
    const points = codePoints(text)
    const found: string[] = []
    let from = 0
    let lastEnd = -1
    while (from <= points.length && (limit < 0 || found.length < limit)) {
      const match = this.find(points, from)
      if (match === undefined) break
      // An empty match right behind another match does not count.
      if (match.end > match.start || match.start !== lastEnd) found.push(textOf(points, match.start, match.end))
      lastEnd = match.end
      from = match.end > match.start ? match.end : match.end + 1
    }
    return found
  }

  #run(text: readonly number[], from: number, anyMatch: boolean): { start: number; end: number } | undefined {
    const program = this.#program
    if (program.length * (text.length - from) > maxSteps) throw new RegexTooExpensive()
    let current = new Threads(program.length)
    let next = new Threads(program.length)
    let best: { start: number; end: number } | undefined
    for (let at = from; at <= text.length; at += 1) {
      if (best === undefined) this.#add(current, 0, at, at, text)
      if (current.count === 0) break
      const code = text[at]
      next.clear()
      for (let index = 0; index < current.count; index += 1) {
        const pc = current.pcs[index] ?? 0
        const start = current.starts[index] ?? 0
        const instruction = program[pc]
        if (instruction?.op === 'match') {
          best = { start, end: at }
          if (anyMatch) return best
          // Threads behind this one have lower priority.
          break
        }
        if (instruction?.op === 'set' && code !== undefined && contains(instruction.ranges, code))
          this.#add(next, pc + 1, start, at + 1, text)
      }
      const swap = current
      current = next
      next = swap
    }
    return best
  }

  #add(threads: Threads, first: number, start: number, at: number, text: readonly number[]): void {
    const stack = [first]
    for (let pc = stack.pop(); pc !== undefined; pc = stack.pop()) {
      if (!threads.mark(pc)) continue
      const instruction = this.#program[pc]
      if (instruction === undefined) continue
      if (instruction.op === 'jump') stack.push(instruction.to)
      else if (instruction.op === 'split') stack.push(instruction.second, instruction.first)
      else if (instruction.op === 'assert') {
        if (holds(instruction.what, at, text)) stack.push(pc + 1)
      } else threads.push(pc, start)
    }
  }
}

class Threads {
  readonly pcs: Int32Array
  readonly starts: Int32Array
  readonly #seen: Int32Array
  #generation = 1
  count = 0
  constructor(size: number) {
    this.pcs = new Int32Array(size)
    this.starts = new Int32Array(size)
    this.#seen = new Int32Array(size)
  }
  clear(): void {
    this.count = 0
    this.#generation += 1
  }
  /** False when this instruction is already reached at this place. */
  mark(pc: number): boolean {
    if (this.#seen[pc] === this.#generation) return false
    this.#seen[pc] = this.#generation
    return true
  }
  push(pc: number, start: number): void {
    this.pcs[this.count] = pc
    this.starts[this.count] = start
    this.count += 1
  }
}

function compile(node: Node, program: Instruction[], pattern: string): void {
  if (program.length > maxInstructions) throw new RegexError('expression too large', pattern.slice(0, 100))
  switch (node.kind) {
    case 'empty':
      return
    case 'set':
      program.push({ op: 'set', ranges: node.ranges })
      return
    case 'assert':
      program.push({ op: 'assert', what: node.what })
      return
    case 'concat':
      for (const part of node.parts) compile(part, program, pattern)
      return
    case 'alternate':
      compileChoices(node.choices, program, pattern)
      return
    case 'repeat':
      compileRepeat(node, program, pattern)
  }
}

function compileChoices(choices: readonly Node[], program: Instruction[], pattern: string): void {
  const ends: { op: 'jump'; to: number }[] = []
  for (const [index, choice] of choices.entries()) {
    if (index === choices.length - 1) {
      compile(choice, program, pattern)
      break
    }
    const split = { op: 'split' as const, first: program.length + 1, second: 0 }
    program.push(split)
    compile(choice, program, pattern)
    const end = { op: 'jump' as const, to: 0 }
    ends.push(end)
    program.push(end)
    split.second = program.length
  }
  for (const end of ends) end.to = program.length
}

function compileRepeat(node: Extract<Node, { kind: 'repeat' }>, program: Instruction[], pattern: string): void {
  const { min, max, greedy } = node
  const split = (): { op: 'split'; first: number; second: number } => {
    const made = { op: 'split' as const, first: program.length + 1, second: program.length + 1 }
    program.push(made)
    return made
  }
  const leave = (made: { first: number; second: number }, to: number): void => {
    if (greedy) made.second = to
    else made.first = to
  }
  for (let count = 0; count < min; count += 1) compile(node.node, program, pattern)
  if (max === Infinity) {
    const start = program.length
    const loop = split()
    compile(node.node, program, pattern)
    program.push({ op: 'jump', to: start })
    leave(loop, program.length)
    return
  }
  const exits = []
  for (let count = min; count < max; count += 1) {
    exits.push(split())
    compile(node.node, program, pattern)
  }
  for (const exit of exits) leave(exit, program.length)
}

function contains(ranges: Ranges, code: number): boolean {
  for (let index = 0; index < ranges.length; index += 2) {
    if (code >= (ranges[index] ?? 0) && code <= (ranges[index + 1] ?? 0)) return true
  }
  return false
}

const isWord = (code: number | undefined): boolean =>
  code !== undefined &&
  ((code >= 48 && code <= 57) || (code >= 65 && code <= 90) || code === 95 || (code >= 97 && code <= 122))

function holds(what: Assertion, at: number, text: readonly number[]): boolean {
  switch (what) {
    case 'textStart':
      return at === 0
    case 'textEnd':
      return at === text.length
    case 'lineStart':
      return at === 0 || text[at - 1] === 10
    case 'lineEnd':
      return at === text.length || text[at] === 10
    case 'boundary':
      return isWord(text[at - 1]) !== isWord(text[at])
    case 'noBoundary':
      return isWord(text[at - 1]) === isWord(text[at])
  }
}

export function codePoints(text: string): number[] {
  const points: number[] = []
  for (const character of text) points.push(character.codePointAt(0) ?? 0)
  return points
}

export function textOf(points: readonly number[], start: number, end: number): string {
  let text = ''
  for (let at = start; at < end; at += 1) text += String.fromCodePoint(points[at] ?? 0)
  return text
}

const cache = new Map<string, Regex>()
const maxCached = 500

/** Compiled once while it is in use. Throws RegexError. */
export function regexOf(pattern: string): Regex {
  let regex = cache.get(pattern)
  if (regex === undefined) {
    regex = new Regex(pattern)
    if (cache.size >= maxCached) cache.clear()
    cache.set(pattern, regex)
  }
  return regex
}
