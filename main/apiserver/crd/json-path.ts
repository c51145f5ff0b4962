// The part of JSONPath that definitions may use in printer columns, scale and selectable fields: fields, indexes, "*" and
// filters on equality ("[?(@.type=="Ready")]"). Compiled once.

type Step =
  | { kind: 'field'; name: string }
  | { kind: 'index'; index: number }
  | { kind: 'all' }
  | { kind: 'filter'; path: readonly Step[]; equal: boolean; value: unknown }

const stepForm =
  /^(?:\.?\[\s*'((?:[^'\\]|\\.)*)'\s*\]|\.?\[\s*"((?:[^"\\]|\\.)*)"\s*\]|\.?\[\s*(-?\d+)\s*\]|\.?\[\s*(\*)\s*\]|\[\s*\?\(\s*@([^=!<>]*?)\s*(==|!=)\s*(.+?)\s*\)\s*\]|\.(\*)|\.((?:[^.[\]\\]|\\.)+))/

/** All values a path leads to. A path that cannot be read leads nowhere. */
export function compileJsonPath(text: string): (object: unknown) => unknown[] {
  const steps = parse(text.replace(/^\{(.*)\}$/, '$1').replace(/^\$/, ''))
  if (steps === undefined) return () => []
  return (object) => walk(object, steps)
}

function parse(text: string): Step[] | undefined {
  const steps: Step[] = []
  let rest = text.trim()
  while (rest !== '') {
    const match = stepForm.exec(rest)
    if (match === null) return undefined
    const [whole, single, double, index, star, filterPath, sign, literal, dotStar, field] = match
    rest = rest.slice(whole.length)
    const quoted = single ?? double
    if (quoted !== undefined) steps.push({ kind: 'field', name: quoted.replaceAll(/\\(.)/g, '$1') })
    else if (index !== undefined) steps.push({ kind: 'index', index: Number(index) })
    else if (star !== undefined || dotStar !== undefined) steps.push({ kind: 'all' })
    else if (filterPath !== undefined) {
      const path = parse(filterPath)
      if (path === undefined) return undefined
      steps.push({ kind: 'filter', path, equal: sign === '==', value: readLiteral(literal ?? '') })
    } else steps.push({ kind: 'field', name: (field ?? '').replaceAll(/\\(.)/g, '$1') })
  }
  return steps
}

function readLiteral(text: string): unknown {
  const quoted = /^(['"])(.*)\1$/.exec(text)
  if (quoted !== null) return quoted[2]
  if (text === 'true' || text === 'false') return text === 'true'
  return Number.isNaN(Number(text)) ? text : Number(text)
}

function walk(value: unknown, steps: readonly Step[]): unknown[] {
  let current: unknown[] = [value]
  for (const step of steps) current = current.flatMap((item) => take(item, step))
  return current
}

function take(item: unknown, step: Step): unknown[] {
  if (typeof item !== 'object' || item === null) return []
  switch (step.kind) {
    case 'field': {
      const value: unknown = Object.hasOwn(item, step.name) ? (item as Record<string, unknown>)[step.name] : undefined
      return value === undefined ? [] : [value]
    }
    case 'index': {
      const value: unknown = Array.isArray(item) ? item.at(step.index) : undefined
      return value === undefined ? [] : [value]
    }
    case 'all':
      return Object.values(item)
    case 'filter':
      return Array.isArray(item)
        ? item.filter((element) => walk(element, step.path).some((value) => value === step.value) === step.equal)
        : []
  }
}
