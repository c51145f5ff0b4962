// The window in real Chromium on the real lab: sign in, see the machines, deploy by form, follow to Ready, read the log, open a
// terminal, ask why the pod is where it is.
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { lockHolder } from '../../main/engine/home-lock.ts'
import { publicKeyHash } from '../../main/pki/certificates.ts'
import { openLab, podDeadlineMs, type Lab } from '../harness/lab.ts'

let lab: Lab
let browser: Browser
let context: BrowserContext
let page: Page
const problems: string[] = []

/** Where pictures go when asked for: ORRERY_SCREENSHOTS=folder. */
async function picture(name: string): Promise<void> {
  const target = process.env['ORRERY_SCREENSHOTS']
  if (target === undefined) return
  await mkdir(target, { recursive: true })
  await page.screenshot({ path: join(target, `${name}.png`) })
}

beforeAll(async () => {
  lab = await openLab()
  const { cert } = JSON.parse(await readFile(join(lab.paths.pki, 'apiserver.json'), 'utf8')) as { cert: string }
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // Trust exactly the lab's own key, as the desktop shell does.
      `--ignore-certificate-errors-spki-list=${await publicKeyHash(cert)}`,
    ],
  })
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  page = await context.newPage()
  page.setDefaultTimeout(90_000)
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && message.text().includes('Content Security Policy')) problems.push(message.text())
  })
  const { stdout } = await lab.orrery(['ui'])
  await page.goto(stdout.trim())
})
afterAll(async () => {
  await browser.close()
  await lab.kubectl('delete deployment,service seen-in-window --ignore-not-found --wait=false')
})
afterEach(() => {
  expect(problems).toEqual([])
})

const byId = (id: string): ReturnType<Page['getByTestId']> => page.getByTestId(id)

it('asks for a link when nobody is signed in, and a link works once', async () => {
  const stranger = await browser.newContext()
  const other = await stranger.newPage()
  await other.goto(`${await lab.server()}/`)
  await other.getByTestId('sign-in').waitFor()
  const { stdout } = await lab.orrery(['ui'])
  await other.goto(stdout.trim())
  await other.getByTestId('lab-screen').waitFor()
  await stranger.clearCookies()
  await other.goto(stdout.trim())
  await other.getByTestId('sign-in').waitFor()
  await stranger.close()
})

it('shows both machines and their state', async () => {
  await byId('lab-screen').waitFor()
  for (const arch of ['amd64', 'arm64'] as const) {
    const name = await lab.node(arch)
    await byId(`machine-${name}`).waitFor()
    expect(await byId(`machine-${name}`).innerText()).toContain(arch)
  }
  await picture('lab')
})

it('deploys by form and follows to Ready', async () => {
  await byId('nav-deploy').click()
  await byId('deploy-screen').waitFor()
  await byId('deploy-image').fill('hello:1.0')
  await byId('deploy-name').fill('seen-in-window')
  await byId('deploy-replicas').fill('2')
  await byId('deploy-port').fill('8080')
  await page.getByText('name: seen-in-window').first().waitFor()
  await picture('deploy')
  await byId('deploy-submit').click()
  await byId('follow-ready').waitFor({ timeout: podDeadlineMs })
  await picture('follow')
  await lab.deploymentReady('seen-in-window')
})

it('refuses a wrong field beside the field', async () => {
  await byId('nav-deploy').click()
  await byId('deploy-image').fill('hello:1.0')
  await byId('deploy-name').fill('Not A Name')
  await byId('deploy-name').blur()
  await byId('deploy-name-error').waitFor()
})

interface PodList {
  items: { metadata: { name: string }; spec: { nodeName: string } }[]
}

it('shows the log, why the pod is here, and opens a terminal in it', async () => {
  const { items } = await lab.json<PodList>('get pods -l app=seen-in-window')
  const pod = items[0]
  if (!pod) throw new Error('no pod')
  await page.goto(`${await lab.server()}/#/workloads/pods/default/${pod.metadata.name}`)
  await byId('detail-screen').waitFor()
  await picture('pod')
  await byId('tab-logs').click()
  await byId('log-lines').getByText('listens on port').first().waitFor()
  await picture('log')
  await page.goto(`${await lab.server()}/#/why/default/${pod.metadata.name}`)
  await byId('score-table').waitFor()
  expect(await byId('score-table').innerText()).toContain(pod.spec.nodeName)
  await picture('why')
  await page.goto(`${await lab.server()}/#/workloads/pods/default/${pod.metadata.name}`)
  await byId('action-exec').click()
  await byId('terminal-panel').waitFor()
  await byId('terminal-pod').click()
  await byId('terminal-pod').getByText('built-in shell').waitFor({ timeout: podDeadlineMs })
  await page.keyboard.type('echo seen-$((40+2))\n')
  // xterm draws its rows as text: wait for the answer of the shell, not for the typed line.
  await byId('terminal-pod').getByText('seen-42').first().waitFor({ timeout: podDeadlineMs })
  await picture('terminal')
})

it('says when the engine is away, opens its screens all the same, and finds it again by itself', async () => {
  await page.goto(`${await lab.server()}/#/lab`)
  await byId('lab-screen').waitFor()
  const pid = await lockHolder(lab.paths.lock)
  expect(pid).toBeDefined()
  process.kill(pid ?? 0, 'SIGKILL')
  await page.getByText('The engine does not answer').waitFor()
  await byId('nav-images').click()
  await byId('images-screen').waitFor()
  await picture('engine-away')
  expect((await lab.orrery(['up', '--timeout', '300'], { timeoutMs: 330_000 })).code).toBe(0)
  await page.getByText('The engine does not answer').waitFor({ state: 'hidden' })
  await page.getByText('Connected', { exact: true }).waitFor()
})
