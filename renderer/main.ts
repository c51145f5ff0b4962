import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './app/App.vue'
import { fetchScreensAhead, router } from './app/router.ts'
import { applyTheme } from './app/theme.ts'
import './styles/base.css'

applyTheme()
createApp(App).use(createPinia()).use(router).mount('#app')
fetchScreensAhead()
