/** The full form of an image reference: "hello" -> "docker.io/library/hello:latest". Digests are kept. */
export function normalizeReference(reference: string): string {
  const trimmed = reference.trim()
  if (trimmed === '') return ''
  const slash = trimmed.indexOf('/')
  const first = slash < 0 ? '' : trimmed.slice(0, slash)
  const hasRegistry = first.includes('.') || first.includes(':') || first === 'localhost'
  const withRegistry = hasRegistry ? trimmed : `docker.io/${slash < 0 ? 'library/' : ''}${trimmed}`
  const name = withRegistry.slice(withRegistry.lastIndexOf('/') + 1)
  return name.includes(':') || name.includes('@') ? withRegistry : `${withRegistry}:latest`
}

/** The form people type: without docker.io/library. */
export const shortReference = (reference: string): string => reference.replace(/^docker\.io\/(library\/)?/, '')
