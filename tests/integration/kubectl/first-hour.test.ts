// Unmodified kubectl against the control plane alone: the commands a person types first.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startControlPlane, type ControlPlane } from '../../harness/control-plane.ts'
import { eventually } from '../../harness/eventually.ts'

let plane: ControlPlane
beforeAll(async () => {
  plane = await startControlPlane()
})
afterAll(async () => {
  await plane.stop()
})

describe('discovery and help', () => {
  it('tells its version and kinds', async () => {
    expect(await plane.ok('version')).toMatch(/Server Version: v1\.36\./)
    const resources = await plane.ok('api-resources --no-headers')
    for (const word of ['pods', 'deployments', 'customresourcedefinitions', 'machines', 'leases'])
      expect(resources).toContain(word)
    expect(await plane.ok('api-versions')).toContain('apps/v1')
  })

  it('explains fields', async () => {
    const text = await plane.ok('explain deployment.spec.strategy.rollingUpdate')
    expect(text).toContain('maxSurge')
    expect(text).toContain('IntOrString')
  })

  it('knows who asks and what they may do', async () => {
    expect(await plane.ok('auth whoami')).toContain('system:masters')
    expect((await plane.ok('auth can-i delete pods')).trim()).toBe('yes')
    const other = await plane.kubectl('auth can-i delete pods --as=system:serviceaccount:default:default')
    expect(other.stdout.trim()).toBe('no')
  })

  it('has the namespaces and the API service of a new cluster', async () => {
    const names = (await plane.ok('get namespaces -o name')).trim().split('\n').sort()
    expect(names).toEqual([
      'namespace/default',
      'namespace/kube-node-lease',
      'namespace/kube-public',
      'namespace/kube-system',
    ])
    expect(await plane.ok('get service kubernetes -o jsonpath={.spec.clusterIP}')).toBe('10.96.0.1')
  })
})

const manifest = `
apiVersion: v1
kind: ConfigMap
metadata: {name: colours, labels: {app: paint}}
data: {sky: blue, grass: green}
---
apiVersion: v1
kind: Service
metadata: {name: paint}
spec:
  selector: {app: paint}
  ports: [{name: http, port: 80, targetPort: 8080}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: paint}
spec:
  replicas: 2
  selector: {matchLabels: {app: paint}}
  template:
    metadata: {labels: {app: paint}}
    spec:
      containers:
        - {name: main, image: "hello:1.0", ports: [{containerPort: 8080}]}
`

describe('objects', () => {
  it('applies, changes, shows and deletes', async () => {
    expect(await plane.ok('apply -f -', { input: manifest })).toBe(
      'configmap/colours created\nservice/paint created\ndeployment.apps/paint created\n',
    )
    expect(await plane.ok('apply -f -', { input: manifest })).toBe(
      'configmap/colours unchanged\nservice/paint unchanged\ndeployment.apps/paint unchanged\n',
    )
    const changed = manifest.replace('sky: blue', 'sky: grey')
    expect(await plane.ok('apply -f -', { input: changed })).toContain('configmap/colours configured')
    expect(await plane.ok('get configmap colours -o jsonpath={.data.sky}')).toBe('grey')
    expect(await plane.ok('diff -f -', { input: changed })).toBe('')
    expect(await plane.ok('get cm -l app=paint -o name')).toBe('configmap/colours\n')
    expect(await plane.ok('patch cm colours --type=json -p [{"op":"remove","path":"/data/grass"}]')).toContain(
      'patched',
    )
    expect(JSON.parse(await plane.ok('get cm colours -o json'))).toMatchObject({ data: { sky: 'grey' } })
    expect(await plane.ok('describe service paint')).toContain('TargetPort:')
    expect(await plane.ok('delete cm colours')).toContain('deleted')
    expect((await plane.kubectl('get cm colours')).stderr).toBe(
      'Error from server (NotFound): configmaps "colours" not found\n',
    )
  })

  it('runs a deployment down to pods that wait for a node, and says why', async () => {
    const pods = await eventually('two pods', async () => {
      const { items } = JSON.parse(await plane.ok('get pods -l app=paint -o json')) as {
        items: { metadata: { name: string }; status: { conditions?: { type: string; message?: string }[] } }[]
      }
      return items.length === 2 &&
        items.every((pod) => pod.status.conditions?.some((condition) => condition.type === 'PodScheduled'))
        ? items
        : undefined
    })
    expect(pods[0]?.status.conditions?.find((condition) => condition.type === 'PodScheduled')?.message).toContain(
      'no nodes available to schedule pods',
    )
    const table = await plane.ok('get pods -l app=paint')
    expect(table).toMatch(/NAME +READY +STATUS +RESTARTS +AGE/)
    expect(table).toMatch(/paint-\w+-\w{5} +0\/1 +Pending +0 +/)
  })

  it('scales, rolls out, undoes and remembers revisions', async () => {
    await plane.ok('scale deployment paint --replicas=3')
    await eventually(
      'three pods',
      async () => (await plane.ok('get pods -l app=paint -o name')).trim().split('\n').length === 3,
    )
    await plane.ok('set image deployment/paint main=hello:2.0')
    await eventually(
      'a second replica set',
      async () => (await plane.ok('get rs -l app=paint -o name')).trim().split('\n').length === 2,
    )
    expect(await plane.ok('rollout history deployment/paint')).toMatch(/1 +<none>\n2 +<none>/)
    await plane.ok('rollout undo deployment/paint')
    await eventually(
      'the first image again',
      async () =>
        (await plane.ok('get deployment paint -o jsonpath={.spec.template.spec.containers[0].image}')) === 'hello:1.0',
    )
  })

  it('removes dependents with their owner', async () => {
    await plane.ok('delete deployment paint --cascade=foreground --wait=true')
    await eventually('no pods', async () => (await plane.ok('get pods,rs -l app=paint -o name')) === '')
  })

  it('empties a namespace before it goes', async () => {
    await plane.ok('create namespace short')
    await plane.ok('create configmap one -n short --from-literal=a=b')
    await plane.ok('delete namespace short --timeout=60s')
    expect((await plane.kubectl('get cm one -n short')).stderr).toContain('NotFound')
  })

  it('serves custom resources from the moment they are defined', async () => {
    const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: planets.example.org}
spec:
  group: example.org
  names: {plural: planets, singular: planet, kind: Planet, shortNames: [pl]}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              required: [moons]
              properties: {moons: {type: integer, minimum: 0}, rings: {type: boolean, default: false}}
      additionalPrinterColumns: [{name: Moons, type: integer, jsonPath: .spec.moons}]
`
    await plane.ok('apply -f -', { input: definition })
    await plane.ok('wait --for=condition=Established crd/planets.example.org --timeout=30s')
    await eventually('the new kind', async () =>
      (await plane.ok('api-resources --api-group=example.org -o name')).includes('planets'),
    )
    await plane.ok('apply -f -', {
      input: 'apiVersion: example.org/v1\nkind: Planet\nmetadata: {name: mars}\nspec: {moons: 2}\n',
    })
    expect(await plane.ok('get pl')).toMatch(/NAME +MOONS\nmars +2/)
    expect(await plane.ok('get planet mars -o jsonpath={.spec.rings}')).toBe('false')
    const bad = await plane.kubectl('apply --validate=false -f -', {
      input: 'apiVersion: example.org/v1\nkind: Planet\nmetadata: {name: x}\nspec: {moons: -1}\n',
    })
    expect(bad.stderr).toContain('spec.moons')
    await plane.ok('delete crd planets.example.org')
    await eventually('the kind gone', async () => !(await plane.ok('api-resources -o name')).includes('planets'))
  })
})

describe('wrong input', () => {
  it('names every wrong field at once', async () => {
    const { stderr } = await plane.kubectl('create -f -', {
      input:
        'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\nspec:\n  replicas: -1\n  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: c}}\n    spec: {containers: [{name: X_, image: ""}]}\n',
    })
    for (const field of [
      'spec.replicas',
      'spec.template.metadata.labels',
      'spec.template.spec.containers[0].name',
      'spec.template.spec.containers[0].image',
    ])
      expect(stderr).toContain(field)
  })

  it('finds unknown fields', async () => {
    const { stderr } = await plane.kubectl('create -f -', {
      input: 'apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {contaners: []}\n',
    })
    expect(stderr).toContain('unknown field "spec.contaners"')
  })

  it('refuses a machine that could not boot', async () => {
    const { stderr } = await plane.kubectl('create -f -', {
      input:
        'apiVersion: lab.orrery.dev/v1alpha1\nkind: Machine\nmetadata: {name: small}\nspec: {arch: riscv64, memoryMiB: 64}\n',
    })
    expect(stderr).toContain('spec.arch')
    expect(stderr).toContain('spec.memoryMiB')
  })
})
