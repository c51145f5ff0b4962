// The desktop shell: one window on the engine's own page, a tray, a menu. It holds no state and serves nothing: closing it stops
// nothing, and everything it shows comes from the engine's HTTPS door, whose certificate it pins.
import { createHash, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import {
  app,
  BrowserWindow,
  ipcMain,
  Menu,
  nativeImage,
  Notification,
  session,
  shell,
  Tray,
  type MenuItemConstructorOptions,
} from 'electron'
import { connectEngine } from '../cli/engine-client.ts'
import { startEngine } from '../cli/start-engine.ts'
import { defaultHome, homePaths } from '../engine/paths.ts'

const paths = homePaths(defaultHome())
let window: BrowserWindow | undefined
let tray: Tray | undefined

async function signInUrl(): Promise<string> {
  const engine = await connectEngine(paths)
  try {
    return (await engine.call<{ url: string }>('POST', '/apis/lab.orrery.dev/v1alpha1/labs/default/signin')).url
  } finally {
    engine.close()
  }
}

const fingerprint = (pem: string): string => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex')

/** Accepts exactly one certificate: the lab's own, issued by the lab's CA in the home folder. */
async function pinCertificate(): Promise<void> {
  const { readFile } = await import('node:fs/promises')
  const { cert } = JSON.parse(await readFile(join(paths.pki, 'apiserver.json'), 'utf8')) as { cert: string }
  const pinned = fingerprint(cert)
  session.defaultSession.setCertificateVerifyProc((request, callback) => {
    callback(request.hostname === '127.0.0.1' && fingerprint(request.certificate.data) === pinned ? 0 : -2)
  })
}

async function show(): Promise<void> {
  if (window) {
    window.show()
    window.focus()
    return
  }
  const origin = new URL((await startEngine(paths, [])).server).origin
  window = new BrowserWindow({
    width: 1360,
    height: 860,
    minWidth: 880,
    minHeight: 560,
    backgroundColor: '#14171c',
    title: 'Orrery',
    webPreferences: {
      preload: join(import.meta.dirname, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
    },
  })
  window.on('closed', () => {
    window = undefined
  })
  // The page stays on the engine's origin; links elsewhere open in the person's browser.
  window.webContents.on('will-navigate', (event, url) => {
    if (new URL(url).origin !== origin) event.preventDefault()
  })
  window.webContents.setWindowOpenHandler(({ url }) => {
    if (url.startsWith('https://') || url.startsWith('http://')) void shell.openExternal(url)
    return { action: 'deny' }
  })
  await window.loadURL(await signInUrl())
}

function menu(): Menu {
  const template: MenuItemConstructorOptions[] = [
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: 'Lab',
      submenu: [
        { label: 'Show window', accelerator: 'CmdOrCtrl+Shift+O', click: () => void show() },
        { type: 'separator' },
        { role: 'quit', label: 'Close Orrery (the lab goes on)' },
      ],
    },
    { role: 'editMenu' },
    {
      label: 'View',
      submenu: [
        { role: 'reload' },
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
      ],
    },
    { role: 'windowMenu' },
  ]
  return Menu.buildFromTemplate(template)
}

if (!app.requestSingleInstanceLock()) app.quit()
else {
  app.on('second-instance', () => void show())
  app.on('activate', () => void show())
  // The tray keeps the shell alive; the engine needs neither.
  app.on('window-all-closed', () => undefined)
  ipcMain.on('notify', (_event, message: { title: string; body: string }) => {
    new Notification(message).show()
  })
  await app.whenReady()
  Menu.setApplicationMenu(menu())
  session.defaultSession.setPermissionRequestHandler((_contents, permission, decide) => {
    decide(permission === 'clipboard-sanitized-write')
  })
  await startEngine(paths, [])
  await pinCertificate()
  tray = new Tray(nativeImage.createFromPath(join(import.meta.dirname, '..', 'window', 'tray.png')))
  tray.setToolTip('Orrery')
  tray.setContextMenu(
    Menu.buildFromTemplate([
      { label: 'Show window', click: () => void show() },
      { role: 'quit', label: 'Close Orrery (the lab goes on)' },
    ]),
  )
  tray.on('click', () => void show())
  await show()
}
