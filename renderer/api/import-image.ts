// Sending an image archive (OCI layout or docker-save) to the lab's registry. XMLHttpRequest, because fetch has no upload progress.
import type { ImageImportLine } from '../../common/api/lab/v1alpha1.ts'
import { decodeFailure } from '../../common/client/wire.ts'

export interface ImportProgress {
  sentBytes: number
  totalBytes: number
  /** What the engine last said it was doing. */
  message: string
}

/** Resolves with the references imported. Rejects with StatusError or Error in plain words. */
export function importImage(
  file: File,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    const progress: ImportProgress = { sentBytes: 0, totalBytes: file.size, message: 'Sending' }
    const references: string[] = []
    let failure: string | undefined
    let read = 0
    const readLines = (final: boolean): void => {
      const text = request.responseText
      const end = final ? text.length : text.lastIndexOf('\n') + 1
      for (const line of text.slice(read, end).split('\n')) {
        if (line.trim() === '') continue
        const parsed = JSON.parse(line) as ImageImportLine
        if (parsed.image !== undefined) references.push(parsed.image.reference)
        if (parsed.error !== undefined)
          failure = [parsed.error, parsed.hint]
            .filter((part) => part !== undefined)
            .map(sentence)
            .join(' ')
        if (parsed.progress !== undefined) progress.message = parsed.progress
      }
      read = end
      onProgress({ ...progress })
    }
    request.open('POST', 'apis/lab.orrery.dev/v1alpha1/labs/default/import')
    request.setRequestHeader('content-type', 'application/x-tar')
    request.upload.addEventListener('progress', (event) => {
      progress.sentBytes = event.loaded
      progress.message = event.loaded >= file.size ? 'Checking and storing layers' : 'Sending'
      onProgress({ ...progress })
    })
    request.addEventListener('progress', () => {
      if (request.status < 400) readLines(false)
    })
    request.addEventListener('error', () => {
      reject(
        new Error(
          'The connection to the engine was lost while the file was being sent. Nothing was imported; drop the file again.',
        ),
      )
    })
    request.addEventListener('abort', () => {
      reject(new Error('Cancelled.'))
    })
    request.addEventListener('load', () => {
      if (request.status >= 400) {
        reject(decodeFailure(request.status, request.responseText))
        return
      }
      readLines(true)
      if (failure !== undefined) reject(new Error(failure))
      else resolve(references)
    })
    signal.addEventListener('abort', () => {
      request.abort()
    })
    request.send(file)
  })
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
