// What is wrong with an expression's text, shown as CEL shows it: place, message, the line and a caret.

export interface Issue {
  readonly offset: number
  readonly message: string
}

export class CompileError extends Error {
  readonly issues: readonly Issue[]
  constructor(source: string, issues: readonly Issue[]) {
    super(issues.map((issue) => describe(source, issue)).join('\n'))
    this.issues = issues
  }
}

function describe(source: string, { offset, message }: Issue): string {
  const before = source.slice(0, offset)
  const lineStart = before.lastIndexOf('\n') + 1
  const lineNumber = before.split('\n').length
  const lineEnd = source.indexOf('\n', lineStart)
  const line = source.slice(lineStart, lineEnd === -1 ? undefined : lineEnd)
  const column = offset - lineStart
  return `ERROR: <input>:${String(lineNumber)}:${String(column + 1)}: ${message}\n | ${line.replaceAll('\t', ' ')}\n | ${'.'.repeat(column)}^`
}

/** Thrown by lexer and parser; the compiler turns it into a CompileError. */
export class SyntaxIssue extends Error {
  readonly offset: number
  constructor(offset: number, message: string) {
    super(`Syntax error: ${message}`)
    this.offset = offset
  }
}
