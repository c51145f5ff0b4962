// The thread that reads large YAML: one text at a time, in the order they come. yaml-reader.ts starts and ends it.
import { parentPort } from 'node:worker_threads'
import type { YamlQuestion, YamlReply } from './protocol.ts'
import { readYaml, TooLargeError } from './read-yaml.ts'

const port = parentPort
if (port === null) throw new Error('the YAML worker runs in a worker thread')

function answer({ text, limits, maxJsonLength }: YamlQuestion): YamlReply {
  try {
    const { value, duplicates } = readYaml(text, limits)
    const json = JSON.stringify(value)
    return json.length > maxJsonLength
      ? { problem: 'its aliases stand for too much', tooLarge: true }
      : { json, duplicates }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), tooLarge: error instanceof TooLargeError }
  }
}

port.on('message', (question: YamlQuestion) => {
  port.postMessage(answer(question))
})
