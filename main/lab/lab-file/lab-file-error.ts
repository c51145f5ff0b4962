export interface Place {
  /** From 1. */
  readonly line: number
  readonly column: number
  /** "spec.memoryMiB"; empty when the problem is not one field's. */
  readonly field: string
  readonly message: string
  readonly remedy: string
}

/** Everything that is wrong with a lab file. `message` has one line per problem: "lab.yaml:7:11: spec.arch: …". */
export class LabFileError extends Error {
  override readonly name = 'LabFileError'
  readonly code = 'BadFile'
  readonly file: string
  readonly places: readonly Place[]
  /** What to do about the first problem. */
  readonly hint: string

  constructor(file: string, places: readonly Place[]) {
    super(places.map((place) => format(file, place)).join('\n'))
    this.file = file
    this.places = places
    this.hint = places[0]?.remedy ?? ''
  }
}

const format = (file: string, { column, field, line, message, remedy }: Place): string =>
  `${file}:${String(line)}:${String(column)}: ${field === '' ? '' : `${field}: `}${message} (${remedy})`
