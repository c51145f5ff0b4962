// The Python client (Debian's python3-kubernetes): typed and dynamic clients, watches that go on, and errors as it knows them.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { run } from '../../harness/programs.ts'

let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane.stop()
})

it.skipIf(!existsSync('/usr/lib/python3/dist-packages/kubernetes'))(
  'works as written against any cluster',
  async () => {
    const script = fileURLToPath(new URL('client.py', import.meta.url))
    // Debian's own Python: packages of the system are not in others.
    const { code, stdout, stderr } = await run('/usr/bin/python3', [script], {
      env: { KUBECONFIG: plane.paths.kubeconfig },
    })
    expect(`${stdout}${stderr}`).toContain('all well')
    expect(code).toBe(0)
  },
)
