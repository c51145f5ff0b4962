# Prints the scalars of a JSON object as "path.to.key=value", one a line. Strings with escapes other than \" \\ \/ keep them.
# Enough for machine.json: arrays are numbered, values with line breaks (PEM) stay on one line as \n.
{ text = text $0 "\n" }
END {
  depth = 0
  while (length(text) > 0) {
    if (match(text, /^[ \t\r\n]+/)) { text = substr(text, RLENGTH + 1); continue }
    char = substr(text, 1, 1)
    if (char == "{" || char == "[") {
      kind[++depth] = char; number[depth] = 0
      name[depth] = char == "[" ? "0" : ""
      want_key = char == "{"
      text = substr(text, 2)
    } else if (char == "}" || char == "]") {
      depth--; text = substr(text, 2)
    } else if (char == ",") {
      if (kind[depth] == "[") name[depth] = ++number[depth]
      else want_key = 1
      text = substr(text, 2)
    } else if (char == ":") {
      want_key = 0; text = substr(text, 2)
    } else if (char == "\"") {
      if (!match(text, /^"([^"\\]|\\.)*"/)) exit 1
      value = substr(text, 2, RLENGTH - 2)
      text = substr(text, RLENGTH + 1)
      if (want_key && kind[depth] == "{") name[depth] = value
      else { gsub(/\\\//, "/", value); gsub(/\\"/, "\"", value); emit(value) }
    } else {
      if (!match(text, /^[-+.A-Za-z0-9]+/)) exit 1
      emit(substr(text, 1, RLENGTH))
      text = substr(text, RLENGTH + 1)
    }
  }
}
function emit(value, path, level) {
  path = name[1]
  for (level = 2; level <= depth; level++) path = path "." name[level]
  print path "=" value
}
