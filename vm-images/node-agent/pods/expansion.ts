// $(VAR) references in commands, arguments and values: known names are replaced, unknown ones stay, $$ is a literal dollar sign.
export function expand(input: string, lookup: (name: string) => string | undefined): string {
  let result = ''
  for (let at = 0; at < input.length; at++) {
    const char = input[at] ?? ''
    if (char !== '$' || at + 1 >= input.length) {
      result += char
      continue
    }
    const next = input[at + 1] ?? ''
    const close = next === '(' ? input.indexOf(')', at + 2) : -1
    if (next === '$') {
      result += '$'
      at++
    } else if (close > 0) {
      const name = input.slice(at + 2, close)
      result += lookup(name) ?? `$(${name})`
      at = close
    } else {
      result += char + next
      at++
    }
  }
  return result
}
