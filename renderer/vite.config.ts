// Builds the window to dist/window with relative addresses, so the engine can serve it from any path.
// `ORRERY_URL=https://127.0.0.1:PORT ORRERY_TOKEN=… vite --config renderer/vite.config.ts` develops against a running engine.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import icons from 'unplugin-icons/vite'
import { defineConfig } from 'vite'

const engine = process.env['ORRERY_URL']
const token = process.env['ORRERY_TOKEN']
const proxied = ['/api', '/apis', '/version', '/openapi', '/livez', '/readyz', '/orrery']

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  base: './',
  plugins: [vue(), icons({ compiler: 'vue3', scale: 1 })],
  build: {
    outDir: fileURLToPath(new URL('../dist/window', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // The polyfill would be an inline script, which the content security policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 900,
  },
  server: {
    host: '127.0.0.1',
    proxy:
      engine === undefined
        ? {}
        : Object.fromEntries(
            proxied.map((path) => [
              path,
              {
                target: engine,
                secure: false,
                ws: true,
                changeOrigin: true,
                ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
              },
            ]),
          ),
  },
})
