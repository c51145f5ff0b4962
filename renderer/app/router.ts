import { createRouter, createWebHashHistory } from 'vue-router'
import { screens } from './screens.ts'

// The hash keeps the window's addresses apart from the API's on the same origin.
export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', redirect: '/lab' },
    ...screens.flatMap((screen) => screen.routes),
    { path: '/:unknown(.*)*', name: 'unknown', component: () => import('./UnknownScreen.vue') },
  ],
})
