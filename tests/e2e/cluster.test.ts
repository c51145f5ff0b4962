// Two architectures in one cluster, used with unmodified kubectl.
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../harness/eventually.ts'
import { openLab, podDeadlineMs, type Lab } from '../harness/lab.ts'
import { kubectlFor } from '../harness/programs.ts'

let lab: Lab
const ns = 'cluster-test'

const app = (name: string, arch: string): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${ns}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 2
      nodeSelector: {kubernetes.io/arch: ${arch}}
      containers:
        - name: main
          image: hello:1.0
          ports: [{name: http, containerPort: 8080}]
          readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 2, timeoutSeconds: 5}
          env:
            - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
            - {name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
          resources: {limits: {cpu: 500m, memory: 48Mi}, requests: {cpu: 50m, memory: 16Mi}}
        - name: tools
          image: toolbox:1.0
          command: [sleep, "100000"]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${ns}}
spec:
  selector: {app: ${name}}
  ports: [{name: http, port: 80, targetPort: http}]
`

interface PodList {
  items: { metadata: { name: string }; spec: { nodeName: string }; status: { podIP: string } }[]
}

async function podOf(name: string): Promise<PodList['items'][number]> {
  const { items } = await lab.json<PodList>(`get pods -n ${ns} -l app=${name}`)
  const [pod] = items
  if (!pod) throw new Error(`no pod of ${name}`)
  return pod
}

beforeAll(async () => {
  lab = await openLab()
  await lab.ok(`create namespace ${ns}`)
  await lab.ok('apply -f -', { input: `${app('east', 'amd64')}---${app('west', 'arm64')}` })
  await Promise.all([lab.deploymentReady('east', ns), lab.deploymentReady('west', ns)])
})
afterAll(async () => {
  await lab.kubectl(`delete namespace ${ns} --wait=false`)
})

describe('nodes', () => {
  it('are Ready, one of each architecture, with what kubectl shows of a node', async () => {
    const table = await lab.ok('get nodes -o wide')
    expect(table).toMatch(
      /NAME +STATUS +ROLES +AGE +VERSION +INTERNAL-IP +EXTERNAL-IP +OS-IMAGE +KERNEL-VERSION +CONTAINER-RUNTIME/,
    )
    expect(table.match(/ Ready /g)).toHaveLength(2)
    expect(table).toMatch(/containerd:\/\/1\.7/)
    expect(await lab.ok(`describe node ${await lab.node('arm64')}`)).toContain('kubernetes.io/arch=arm64')
    expect(await lab.ok('get machines')).toMatch(/arm64/)
  })

  it('run the architecture they say', async () => {
    for (const [name, machine] of [
      ['east', 'x86_64'],
      ['west', 'aarch64'],
    ] as const) {
      expect((await lab.ok(`exec -n ${ns} deploy/${name} -c tools -- uname -m`)).trim()).toBe(machine)
    }
  })
})

describe('the network', () => {
  it('reaches a Service on the other architecture by name, both ways', async () => {
    for (const [from, to, arch] of [
      ['west', 'east', 'amd64'],
      ['east', 'west', 'arm64'],
    ] as const) {
      const answer = await eventually(
        `${from} reaches ${to}`,
        async () => {
          const { code, stdout } = await lab.kubectl(
            `exec -n ${ns} deploy/${from} -c tools -- curl -sS --max-time 20 http://${to}.${ns}.svc.cluster.local/`,
          )
          return code === 0 ? stdout : undefined
        },
        { deadlineMs: podDeadlineMs, everyMs: 1000 },
      )
      expect(answer).toContain(arch)
      expect(answer).toContain((await podOf(to)).metadata.name)
    }
  })

  it('keeps source addresses between pods', async () => {
    const [from, to] = [await podOf('west'), await podOf('east')]
    // A listener that logs its peers, in the one pod; it ends by itself.
    const listener = lab.kubectl(
      [
        'exec',
        '-n',
        ns,
        to.metadata.name,
        '-c',
        'tools',
        '--',
        'sh',
        '-c',
        'timeout 40 busybox httpd -f -vv -p 9099 -h /tmp 2>&1; true',
      ],
      { timeoutMs: 120_000 },
    )
    await eventually('the listener is reached', async () => {
      const url = `http://${to.status.podIP}:9099/`
      return (
        (
          await lab.kubectl([
            'exec',
            '-n',
            ns,
            from.metadata.name,
            '-c',
            'tools',
            '--',
            'curl',
            '-sS',
            '--max-time',
            '10',
            url,
          ])
        ).code === 0
      )
    })
    expect((await listener).stdout).toContain(from.status.podIP)
  })

  it('answers DNS for services, headless services and unknown names', async () => {
    const lookup = (name: string): Promise<string> =>
      lab.ok(`exec -n ${ns} deploy/west -c tools -- dig +time=10 +tries=3 ${name}`, { timeoutMs: 60_000 })
    expect(await lookup('kubernetes.default.svc.cluster.local')).toContain('10.96.0.1')
    expect(await lookup('nothing.default.svc.cluster.local')).toContain('status: NXDOMAIN')
    const service = await lab.ok(`get service east -n ${ns} -o jsonpath={.spec.clusterIP}`)
    expect(await lookup(`east.${ns}.svc.cluster.local`)).toContain(service)
  })

  it('lets pods reach the API with their own token', async () => {
    const script =
      'curl -sS --max-time 20 --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt -H "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" https://kubernetes.default.svc/apis/authentication.k8s.io/v1/selfsubjectreviews -X POST -H content-type:application/json -d "{}"'
    const answer = await lab.ok(['exec', '-n', ns, 'deploy/west', '-c', 'tools', '--', 'sh', '-c', script], {
      timeoutMs: 90_000,
    })
    expect(answer).toContain(`system:serviceaccount:${ns}:default`)
  })
})

describe('kubectl', () => {
  it('shows logs, with tail and timestamps', async () => {
    await lab.ok(`exec -n ${ns} deploy/east -c tools -- sh -c true`)
    const log = await eventually(
      'a log line',
      async () => (await lab.ok(`logs -n ${ns} deploy/east -c main --tail=5 --timestamps`)) || undefined,
      { deadlineMs: podDeadlineMs },
    )
    expect(log).toMatch(/^\d{4}-\d\d-\d\dT/)
  })

  it('runs commands with input and exit codes', async () => {
    expect(await lab.ok(`exec -i -n ${ns} deploy/west -c tools -- wc -c`, { input: 'twelve bytes' })).toContain('12')
    const failing = await lab.kubectl(`exec -n ${ns} deploy/west -c tools -- false`)
    expect(failing.code).toBe(1)
    expect(failing.stderr).toContain('command terminated with exit code 1')
  })

  it('copies files both ways', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'orrery-cp-'))
    try {
      const content = Array.from({ length: 20_000 }, (_, index) => `line ${String(index)}`).join('\n')
      await writeFile(join(folder, 'there.txt'), content)
      const pod = (await podOf('west')).metadata.name
      await lab.ok(`cp ${join(folder, 'there.txt')} ${ns}/${pod}:/tmp/there.txt -c tools`)
      await lab.ok(`cp ${ns}/${pod}:/tmp/there.txt ${join(folder, 'back.txt')} -c tools`)
      expect(await readFile(join(folder, 'back.txt'), 'utf8')).toBe(content)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('forwards ports', async () => {
    const { path } = await kubectlFor(lab.paths.kubeconfig, lab.home)
    const child = spawn(path, ['port-forward', '-n', ns, 'deploy/east', ':8080', '--address', '127.0.0.1'], {
      env: { ...process.env, KUBECONFIG: lab.paths.kubeconfig },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    try {
      let output = ''
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
      const port = await eventually('the local port', async () => /127\.0\.0\.1:(\d+)/.exec(output)?.[1])
      const answer = await eventually('an answer through it', async () =>
        (await fetch(`http://127.0.0.1:${port}/`)).text(),
      )
      expect(answer).toContain((await podOf('east')).metadata.name)
    } finally {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    }
  })

  it('opens a service on this computer', async () => {
    const { code, stdout, stderr } = await lab.orrery(['open', 'service/west', '-n', ns])
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const answer = await eventually('an answer', async () => (await fetch(stdout.trim())).text())
    expect(answer).toContain('arm64')
  })

  it('tells resource use', async () => {
    const table = await eventually('figures', async () => {
      const { code, stdout } = await lab.kubectl('top nodes')
      return code === 0 ? stdout : undefined
    })
    expect(table).toMatch(/NAME +CPU\(cores\)/)
  })
})

describe('limits', () => {
  it('are cgroup values', async () => {
    const read = (file: string): Promise<string> =>
      lab.ok(`exec -n ${ns} deploy/east -c main -- cat /sys/fs/cgroup/${file}`)
    expect((await read('memory.max')).trim()).toBe(String(48 * 1024 * 1024))
    expect((await read('cpu.max')).trim()).toBe('50000 100000')
  })
})

describe('images', () => {
  const pod = (name: string, image: string, arch?: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: ${ns}}\nspec:\n  restartPolicy: Never\n  terminationGracePeriodSeconds: 0\n${arch === undefined ? '' : `  nodeSelector: {kubernetes.io/arch: ${arch}}\n`}  containers: [{name: main, image: "${image}"}]\n`

  it('that are missing or misnamed say so', async () => {
    await lab.ok('apply -f -', { input: `${pod('missing', 'nowhere:9')}---\n${pod('misnamed', 'Not A Name')}` })
    await eventually(
      'a reason for the missing one',
      async () =>
        (
          await lab.ok(`get pod missing -n ${ns} -o jsonpath={.status.containerStatuses[0].state.waiting.reason}`)
        ).includes('ImagePull'),
      { deadlineMs: podDeadlineMs },
    )
    await eventually(
      'a reason for the misnamed one',
      async () =>
        (
          await lab.ok(`get pod misnamed -n ${ns} -o jsonpath={.status.containerStatuses[0].state.waiting.reason}`)
        ).includes('InvalidImageName'),
      { deadlineMs: podDeadlineMs },
    )
    const events = await lab.ok(`get events -n ${ns} --field-selector involvedObject.name=missing`)
    expect(events).toContain('not found')
  })
})
