// What of an image reference the API decides on: its tag.

/** The tag of a reference; "latest" when it has neither tag nor digest, "" when it has only a digest. */
export function imageTag(reference: string): string {
  const [named = '', digest] = reference.split('@')
  const lastSlash = named.lastIndexOf('/')
  const colon = named.indexOf(':', lastSlash + 1)
  if (colon >= 0) return named.slice(colon + 1)
  return digest === undefined && named !== '' ? 'latest' : ''
}

/** Always for a moving tag, else IfNotPresent. */
export const defaultPullPolicy = (reference: string): 'Always' | 'IfNotPresent' =>
  imageTag(reference) === 'latest' ? 'Always' : 'IfNotPresent'
