// One shared animation frame for everything that folds watch events in; a slow timer takes over while the page is hidden.
const jobs = new Set<() => void>()
let scheduled = false

function run(): void {
  scheduled = false
  const now = [...jobs]
  jobs.clear()
  for (const job of now) job()
}

export function schedule(job: () => void): void {
  jobs.add(job)
  if (scheduled) return
  scheduled = true
  if (document.hidden) setTimeout(run, 250)
  else requestAnimationFrame(run)
}

// A frame requested just before the page was hidden never comes.
document.addEventListener('visibilitychange', () => {
  if (document.hidden && scheduled) setTimeout(run, 250)
})
