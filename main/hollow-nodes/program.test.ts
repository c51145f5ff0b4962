import { expect, it } from 'vitest'
import { programOf } from './program.ts'

const script = (text: string): object => ({ command: ['/bin/sh', '-c', text] })

it.each([
  [{ command: ['sleep', '5'] }, 5000, 0],
  [{ command: ['/bin/sleep', '1.5m'] }, 90_000, 0],
  [{ command: ['sleep', 'infinity'] }, Infinity, 0],
  [{ command: ['/bin/false'] }, 0, 1],
  [{ args: ['true'] }, 0, 0],
  [script('exit 3'), 0, 3],
  [{ command: ['bash'], args: ['-c', 'echo "good morning"; sleep 2 && exit 1'] }, 2000, 1],
  [script('false && sleep 100; true'), 0, 0],
  [script('false; exit'), 0, 1],
  [{ command: ['sh', '-ec', 'false\nsleep 10'] }, 0, 1],
  [script('exit 0; sleep 9'), 0, 0],
])('%o runs %d ms and ends with %d', (container, runsMs, exitCode) => {
  expect(programOf({ name: 'c', ...container })).toEqual({ runsMs, exitCode })
})

it.each([
  {},
  { command: ['nginx'] },
  { args: ['serve', '--port=80'] },
  { command: ['sh'] },
  { command: ['sh', '-x', 'true'] },
  script('sleep $SECONDS_TO_WAIT'),
  script('while true; do sleep 1; done'),
  script('sleep 5 | cat'),
  script('sleep 5 & true'),
  script('echo $(hostname)'),
  script('exit many'),
])('%o is not understood: it runs until it is stopped', (container) => {
  expect(programOf({ name: 'c', ...container }).runsMs).toBe(Infinity)
})
