// The whole bridge between the window's page and the desktop shell. The page works without it (in a browser).
import { contextBridge, ipcRenderer } from 'electron'

contextBridge.exposeInMainWorld('orreryShell', {
  platform: process.platform,
  /** Shows a system notification; the page asks only for things a person may want to know with the window closed. */
  notify: (title: string, body: string) => {
    ipcRenderer.send('notify', { title: String(title).slice(0, 120), body: String(body).slice(0, 400) })
  },
})
