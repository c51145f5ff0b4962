// Image names: full form, validity, and what a failed pull means in plain words.
import type { GuestArch } from '../../../common/channel/guest-config.ts'

const pattern =
  /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/

export const isValidReference = (image: string): boolean =>
  image.length > 0 && image.length < 512 && pattern.test(image)

/** "hello" -> "docker.io/library/hello:latest". */
export function normalizeReference(image: string): string {
  const [beforeDigest = '', digest] = image.split('@')
  const slash = beforeDigest.indexOf('/')
  const first = slash < 0 ? '' : beforeDigest.slice(0, slash)
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost'
  const name = hasHost ? beforeDigest : `docker.io/${slash < 0 ? 'library/' : ''}${beforeDigest}`
  const hasTag = name.lastIndexOf(':') > name.lastIndexOf('/')
  if (digest !== undefined) return `${name}@${digest}`
  return hasTag ? name : `${name}:latest`
}

/** The runtime's message with a first sentence a learner can act on. */
export function explainPullError(image: string, message: string, arch: GuestArch): string {
  const other = arch === 'amd64' ? 'arm64' : 'amd64'
  if (/no match for platform|no matching manifest|does not match the specified platform/i.test(message))
    return (
      `this image is ${other}-only, the node is ${arch}: choose an image built for ${arch}, ` +
      `or place the pod on a node with nodeSelector {"kubernetes.io/arch": "${other}"}: ${message}`
    )
  if (/not found|404/i.test(message))
    return (
      `${message} (the lab's registry has no image "${image}": check the name and tag with "orrery image ls", ` +
      `or bring the image in with "orrery image import FILE.tar")`
    )
  if (/connection refused|503|not connected/i.test(message))
    return `${message} (the lab's registry cannot be reached: is the engine running? The pull is tried again)`
  return message
}

/** A start failure of a container, with plain words for a program of the wrong architecture. */
export function explainStartError(image: string, message: string, arch: GuestArch): string {
  const other = arch === 'amd64' ? 'arm64' : 'amd64'
  if (!/exec format error/i.test(message)) return message
  return (
    `this image is ${other}-only, the node is ${arch}: choose an image built for ${arch}, or place the pod on a ` +
    `node with nodeSelector {"kubernetes.io/arch": "${other}"} (image "${image}"): ${message}`
  )
}

/** Whether a message is one of the explanations above. */
export const isWrongArchitecture = (message: string): boolean => /^this image is (amd64|arm64)-only/.test(message)
