// Suffixes for generateName and pod names: no vowels and no digits that look like letters, so that no words come out.
// Source: apimachinery pkg/util/rand; the random bytes are injected so that tests and pure code own them.

const alphabet = 'bcdfghjklmnpqrstvwxz2456789'
const suffixLength = 5
/** Names longer than this are cut before the suffix is added, so that the result is a DNS label. */
const maxNameLength = 63

/** Fills a buffer with random bytes. */
export type RandomBytes = (length: number) => Uint8Array

export const systemRandomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length))

/** `length` letters of the safe alphabet, each equally likely. */
export function randomSuffix(randomBytes: RandomBytes = systemRandomBytes, length = suffixLength): string {
  let suffix = ''
  while (suffix.length < length) {
    for (const byte of randomBytes(length)) {
      // 243 = 9 × 27: bytes above would favour the first letters.
      if (byte < 243 && suffix.length < length) suffix += alphabet.charAt(byte % alphabet.length)
    }
  }
  return suffix
}

/** The name for an object created with `generateName`. */
export const generateName = (base: string, randomBytes: RandomBytes = systemRandomBytes): string =>
  base.slice(0, maxNameLength - suffixLength) + randomSuffix(randomBytes)

/** Maps any text onto the safe alphabet, as upstream does with hashes in names (pod-template-hash). */
export function safeEncode(text: string): string {
  let encoded = ''
  for (let index = 0; index < text.length; index += 1) {
    encoded += alphabet.charAt(text.charCodeAt(index) % alphabet.length)
  }
  return encoded
}
