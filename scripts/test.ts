// npm test: everything, in the order in which failures are cheapest to find: check, unit, build, images, integration (real kubectl),
// end to end (real VMs, real Chromium). Installs what is missing. Prints "N passed, N failed" last and fails if anything failed.
// A word after it runs one part: npm test -- unit
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildAll } from './build.ts'
import { check } from './check.ts'
import { buildImages } from './images.ts'
import { step } from './progress.ts'
import { ensurePrograms, startPrograms, testPrograms } from './system-packages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const only = process.argv.slice(2)
const wanted = (part: string): boolean => only.length === 0 || only.includes(part)

let passed = 0
let failed = 0

interface VitestReport {
  numPassedTests: number
  numFailedTests: number
  numTotalTestSuites: number
  success: boolean
  testResults: { name: string; status: string; message: string }[]
}

async function vitest(project: string): Promise<void> {
  process.stdout.write(`\n── ${project} ──\n`)
  const folder = await mkdtemp(join(tmpdir(), 'orrery-test-'))
  const report = join(folder, 'report.json')
  const args = [
    join(root, 'node_modules', '.bin', 'vitest'),
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]
  // Building the window sets NODE_ENV to production for this process; tests want the checks that production leaves out.
  const env = { ...process.env, NODE_ENV: 'test' }
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env })
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  try {
    const result = JSON.parse(await readFile(report, 'utf8')) as VitestReport
    passed += result.numPassedTests
    failed += result.numFailedTests
    // A file that does not even load has no failed test of its own.
    failed += result.testResults.filter((file) => file.status === 'failed' && file.message !== '').length
    if (code !== 0 && result.numFailedTests === 0) failed += 1
    if (result.numPassedTests === 0 && code === 0) {
      process.stdout.write(`${project}: no test ran\n`)
      failed += 1
    }
  } catch (error) {
    process.stdout.write(`${project}: no report (${error instanceof Error ? error.message : String(error)})\n`)
    failed += 1
  }
  await rm(folder, { recursive: true, force: true })
}

await step('System programs', (detail) => ensurePrograms([...startPrograms, ...testPrograms], detail))
if (wanted('check')) {
  process.stdout.write('\n── check ──\n')
  const result = await check()
  passed += result.passed
  failed += result.failed
}
if (only.length === 0 || only.some((part) => part !== 'check')) await buildAll()
if (wanted('unit')) await vitest('unit')
if (wanted('integration') || wanted('e2e')) await buildImages(['amd64', 'arm64'])
if (wanted('integration')) await vitest('integration')
if (wanted('e2e')) await vitest('e2e')

process.stdout.write(`\n${String(passed)} passed, ${String(failed)} failed\n`)
process.exit(failed === 0 ? 0 : 1)
