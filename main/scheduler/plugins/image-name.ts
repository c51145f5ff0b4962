/** "hello" -> "docker.io/library/hello:latest", as runtimes and the lab's Images name it. */
export function fullImageName(image: string): string {
  const first = image.split('/', 1)[0] ?? ''
  const hasRegistry = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  let name = image
  if (!hasRegistry) name = image.includes('/') ? `docker.io/${image}` : `docker.io/library/${image}`
  const last = name.slice(name.lastIndexOf('/') + 1)
  return last.includes(':') || last.includes('@') ? name : `${name}:latest`
}
