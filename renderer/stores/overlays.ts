import { defineStore } from 'pinia'
import { ref } from 'vue'

/** What lies over the window: the palette and the list of shortcuts. */
export const useOverlays = defineStore('overlays', () => ({
  palette: ref(false),
  help: ref(false),
  addMachine: ref(false),
}))
