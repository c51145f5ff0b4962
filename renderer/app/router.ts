import { createRouter, createWebHashHistory } from 'vue-router'
import { screens } from './screens.ts'

// The hash keeps the window's addresses apart from the API's on the same origin.
export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', redirect: '/lab' },
    // Where the engine sends a spent sign-in link; with a session there is nothing to sign in to.
    { path: '/sign-in', redirect: '/lab' },
    ...screens.flatMap((screen) => screen.routes),
    { path: '/:unknown(.*)*', name: 'unknown', component: () => import('./UnknownScreen.vue') },
  ],
})

/** Fetches every screen while there is time: they open without a wait, and also while the engine is away. */
export function fetchScreensAhead(): void {
  const fetchAll = async (): Promise<void> => {
    for (const { components } of router.getRoutes())
      for (const component of Object.values(components ?? {}))
        if (isLoader(component)) await component().catch(() => undefined)
  }
  window.requestIdleCallback(() => void fetchAll(), { timeout: 3000 })
}

const isLoader = (component: unknown): component is () => Promise<unknown> => typeof component === 'function'
