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
