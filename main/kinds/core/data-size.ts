// The size limit that ConfigMap and Secret share.

/** 1 MiB of decoded data, as in Kubernetes. */
export const maxDataBytes = 1_048_576

/** Bytes that a base64 text decodes to. */
export function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return Math.max(0, Math.floor((base64.length * 3) / 4) - padding)
}
