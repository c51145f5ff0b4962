// The many forms of kubectl get, explain, run, set, rollout, wait and auth that people know by heart; kustomizations; and what happens
// to commands that need a node when there is none.
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { kubectlScenarios, type Step } from '../../harness/kubectl-scenarios.ts'

const folder = mkdtempSync(join(tmpdir(), 'orrery-forms-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const web = (namespace = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web${namespace}}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: main, image: nginx}, {name: side, image: side, env: [{name: A, value: b}]}]
`
mkdirSync(join(folder, 'base'))
mkdirSync(join(folder, 'over'))
writeFileSync(join(folder, 'base', 'web.yaml'), web())
writeFileSync(
  join(folder, 'base', 'kustomization.yaml'),
  'resources: [web.yaml]\nconfigMapGenerator: [{name: map, literals: [a=b]}]\n',
)
writeFileSync(
  join(folder, 'over', 'kustomization.yaml'),
  'resources: [../base]\nnamePrefix: p-\nimages: [{name: nginx, newTag: "2"}]\nreplicas: [{name: web, count: 3}]\n',
)
const over = join(folder, 'over')

const pods: Step[] = [
  { run: 'run a --image=x --labels=a=1', out: 'pod/a created' },
  { run: 'run b --image=x --env=A=b --port=80 --expose', out: 'service/b created\npod/b created' },
  { run: 'run e --image=x --restart=Never -l x=y --command -- a b', out: 'pod/e created' },
]

kubectlScenarios([
  {
    title: 'forms of get',
    steps: [
      ...pods,
      {
        run: 'get all',
        out: /^NAME +READY +STATUS +RESTARTS +AGE\npod\/a +0\/1 +Pending +0 +\d+s\n[^]*\n\nNAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\nservice\/b +ClusterIP /,
      },
      { run: 'get all -l a=1 -o name', out: 'pod/a' },
      { run: 'get pods --sort-by=.metadata.creationTimestamp -o name', out: 'pod/a\npod/b\npod/e' },
      {
        run: 'get pods -L a -L x --show-labels --no-headers',
        out: /^a +0\/1 +Pending +0 +\d+s +1 +a=1\nb +0\/1 +Pending +0 +\d+s +run=b\ne +0\/1 +Pending +0 +\d+s +y +x=y\n$/,
      },
      {
        run: `get pods -o 'jsonpath={range .items[*]}{.metadata.name}{"="}{.status.phase}{","}{end}'`,
        out: 'a=Pending,b=Pending,e=Pending,',
      },
      { run: 'get pods -o jsonpath-as-json={.items[0].metadata.name}', out: '[\n    "a"\n]' },
      { run: `get pod a --template='{{.metadata.name}}:'`, out: 'a:' },
      { run: 'get pod a -o jsonpath={.missing}', out: '' },
      {
        run: 'get pod a --allow-missing-template-keys=false -o jsonpath={.missing}',
        code: 1,
        err: /missing is not found/,
      },
      { run: 'get pods a --subresource=status --no-headers', out: /^a +0\/1 +Pending/ },
      { run: 'get pods a --subresource=resize -o name', out: 'pod/a' },
      {
        run: 'get pods a --subresource=scale',
        code: 1,
        err: 'Error from server (NotFound): the server could not find the requested resource',
      },
      { run: `get pods -l 'a in (1,2),x notin (q)' -o name`, out: 'pod/a' },
      { run: 'get pods --field-selector status.phase!=Running,metadata.name!=a -o name', out: 'pod/b\npod/e' },
      { run: 'get pod/a service/b -o name', out: 'pod/a\nservice/b' },
      { run: 'get pods -w --output-watch-events --request-timeout=1s', out: /^EVENT +NAME +READY[^]*\nADDED +a +0\/1/ },
      { run: 'get pod a -w -o name --request-timeout=1s', out: /^pod\/a\n/ },
      { run: 'get pods --chunk-size=1 -w -o name --request-timeout=1s', out: /^pod\/a\npod\/b\npod\/e\n/ },
      { run: 'get pods none -w', code: 1, err: 'Error from server (NotFound): pods "none" not found' },
      { run: 'get clusterroles --chunk-size=10 -v=6', err: [/clusterroles\?limit=10/, /clusterroles\?continue=/] },
      {
        run: `get --raw '/api/v1/namespaces/$NS/pods?limit=1'`,
        out: /^\{"kind":"PodList",[^]*"remainingItemCount":2\}/,
      },
      { run: 'get pods -o json -l none=x', out: /"items": \[\]/ },
      { run: 'get pods --ignore-not-found -l none=x', out: '', err: '' },
    ],
  },
  {
    title: 'forms of explain and discovery',
    steps: [
      {
        run: 'explain pods --recursive --output plaintext-openapiv2',
        out: [/^KIND: {5}Pod\nVERSION: {2}v1\n/, /\n {6}containers\t<\[\]Object>/],
      },
      {
        run: 'explain pod.spec.containers.resources --output=plaintext-openapiv2',
        out: /\nRESOURCE: resources <Object>\n/,
      },
      { run: 'explain cronjob --api-version=batch/v1', out: /^GROUP: +batch\nKIND: +CronJob\nVERSION: +v1\n/ },
      { run: 'explain none', code: 1, err: /the server doesn't have a resource type "none"\n$/ },
      {
        run: 'api-resources --namespaced=true --categories=all -o name --sort-by=name',
        out: /^(?=[^]*pods\n)(?=[^]*deployments\.apps\n)(?=[^]*horizontalpodautoscalers\.autoscaling\n)(?=[^]*jobs\.batch\n)/,
      },
      {
        run: 'api-resources -o wide --sort-by=kind',
        out: [
          /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND +VERBS +CATEGORIES\n/,
          /\npods +po +v1 +true +Pod +create,delete,deletecollection,get,list,patch,update,watch +all\n/,
          /\nbindings +v1 +true +Binding +create *\n/,
        ],
      },
      { run: 'api-resources --verbs=create,proxy -o name', out: '' },
      {
        run: `get --raw /apis/apps/v1`,
        out: /^\{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"apps\/v1","resources":\[/,
      },
      {
        run: 'get --raw /openapi/v3',
        out: /"apis\/apps\/v1":\{"serverRelativeURL":"\/openapi\/v3\/apis\/apps\/v1\?hash=/,
      },
    ],
  },
  {
    title: 'kustomizations',
    steps: [
      { run: `diff -k ${over}`, code: 1, out: /\+ {2}name: p-web\n/ },
      { run: `apply -k ${over}`, out: /^configmap\/p-map-\w{10} created\ndeployment\.apps\/p-web created\n$/ },
      { run: `apply -k ${over}`, out: /^configmap\/p-map-\w{10} unchanged\ndeployment\.apps\/p-web unchanged\n$/ },
      { run: `diff -k ${over}`, out: '' },
      { run: `get -k ${over} -o name`, out: /^configmap\/p-map-\w{10}\ndeployment\.apps\/p-web\n$/ },
      { run: 'get deployment p-web -o jsonpath={.spec.replicas}:{..image}', out: '3:nginx:2 side' },
      { run: `kustomize ${over}`, out: /\nkind: Deployment\n/ },
      { run: `apply -k ${over} --server-side --force-conflicts`, out: /p-web serverside-applied\n$/ },
      { run: `delete -k ${over}`, out: /deployment\.apps "p-web" deleted/ },
    ],
  },
  {
    title: 'forms of set and rollout',
    steps: [
      { run: 'create -f -', in: web(), out: 'deployment.apps/web created' },
      { run: 'create configmap more --from-literal=x=1', out: 'configmap/more created' },
      { run: 'set env deployment/web -c side A- B=c', out: 'deployment.apps/web env updated' },
      { run: 'set env deployment/web --from=configmap/more --prefix=P_', out: 'deployment.apps/web env updated' },
      {
        run: 'set env deployment/web --list --resolve',
        out: '# Deployment web, container main\nP_X=1\n# Deployment web, container side\nB=c\nP_X=1',
      },
      {
        run: 'set resources deployment/web -c=main --limits=cpu=1 --requests=cpu=500m',
        out: /requirements updated\n$/,
      },
      {
        run: 'set resources deployment/web --limits=cpu=100m',
        code: 1,
        err: /Deployment\.apps "web" is invalid: spec\.template\.spec\.containers\[0\]\.resources\.requests: Invalid value: "500m": must be less than or equal to cpu limit of 100m\n$/,
      },
      {
        run: 'set image deployment/web *=all:1 --dry-run=server',
        out: 'deployment.apps/web image updated (server dry run)',
      },
      { run: 'set image deployments --all main=n:3', out: 'deployment.apps/web image updated' },
      { run: 'label deployment web tier=front', out: 'deployment.apps/web labeled' },
      {
        run: 'rollout history deployment -l tier=front',
        out: /^deployment\.apps\/web \nREVISION {2}CHANGE-CAUSE\n1 +<none>\n/,
        until: true,
      },
      { run: 'rollout restart deployment -l tier=front', out: 'deployment.apps/web restarted' },
      {
        run: 'rollout status deployment/web --watch=false --revision=99',
        code: 1,
        err: /desired revision \(99\) is different from the running revision/,
        until: true,
      },
      { run: 'rollout undo deployment/web --to-revision=1 --dry-run=server', out: /rolled back \(server dry run\)\n$/ },
      { run: 'rollout undo deployment/web --to-revision=1', out: 'deployment.apps/web rolled back' },
      { run: 'rollout pause configmap/more', code: 1, err: 'error: configmaps "more" pausing is not supported' },
      {
        run: 'rollout status statefulset/none',
        code: 1,
        err: 'Error from server (NotFound): statefulsets.apps "none" not found',
      },
      { run: 'set selector service none a=b', code: 1, err: /services "none" not found\n$/ },
      {
        run: 'set subject rolebinding none --user=x',
        code: 1,
        err: /rolebindings\.rbac\.authorization\.k8s\.io "none" not found\n$/,
      },
      { run: 'wait --for=jsonpath={.spec.replicas}=1 deployment --all', out: 'deployment.apps/web condition met' },
      {
        run: 'wait --for=jsonpath={.status.replicas} deployment/web --timeout=30s',
        out: 'deployment.apps/web condition met',
      },
      {
        run: 'wait --for=condition=none deployment --all --timeout=1s',
        code: 1,
        err: 'error: timed out waiting for the condition on deployments/web',
      },
      { run: 'wait --for=create configmap/later --timeout=1s', code: 1, err: /timed out waiting for the condition/ },
      { run: 'wait pod -l none=x --for=condition=Ready', code: 1, err: 'error: no matching resources found' },
      { run: 'wait --for=delete pod -l none=x', out: '' },
    ],
  },
  {
    title: 'without a node',
    steps: [
      ...pods,
      { run: 'exec a -- ls', code: 1, err: /pod a does not have a host assigned\n$/ },
      { run: 'exec none -- ls', code: 1, err: 'Error from server (NotFound): pods "none" not found' },
      {
        run: 'exec deployment/none -- ls',
        code: 1,
        err: 'Error from server (NotFound): deployments.apps "none" not found',
      },
      { run: `cp ${join(folder, 'base', 'web.yaml')} a:/x`, code: 1, err: /pod a does not have a host assigned/ },
      { run: 'cp a:/x /tmp/never', code: 1, err: /pod a does not have a host assigned/ },
      { run: 'cp /nowhere/at/all a:/x', code: 1, err: /doesn't exist in local filesystem\n$/ },
      { run: 'attach a', code: 1, err: /pod a does not have a host assigned\n$/ },
      { run: 'logs a --all-containers --prefix', out: '' },
      { run: 'logs -l a=1', out: '' },
      { run: 'logs none', code: 1, err: /pods "none" not found/ },
      { run: 'logs a --tail=-5', code: 1, err: /--tail must be greater than or equal to -1/ },
      {
        run: `get --raw '/api/v1/namespaces/$NS/pods/a/log?tailLines=-5'`,
        code: 1,
        err: /tailLines: Invalid value: -5: must be greater than or equal to 0/,
      },
      { run: 'port-forward service/b :80', code: 1, err: /pod is not running\. Current status=Pending\n$/ },
      {
        run: `get --raw /api/v1/namespaces/$NS/pods/a/proxy/`,
        code: 1,
        err: /address not allowed|no endpoints|ServiceUnavailable|does not have a host assigned|BadRequest|InternalError/,
      },
      { run: 'top nodes', code: 1, err: /metrics not available yet|Metrics API not available/ },
      { run: 'delete pods --all --now', out: /^pod "a" deleted/ },
    ],
  },
  {
    title: 'forms of auth and replace',
    steps: [
      { run: 'auth can-i get pods/log', out: 'yes' },
      { run: `auth can-i '*' '*' --all-namespaces`, out: 'yes' },
      { run: 'auth can-i get /metrics --as=jo', out: 'no', code: 1 },
      { run: 'auth can-i list pods --as=jo --quiet', out: '', code: 1 },
      {
        run: 'auth whoami --as=jo --as-group=g --as-uid=5 -o jsonpath={.status.userInfo}',
        out: '{"groups":["g","system:authenticated"],"uid":"5","username":"jo"}',
      },
      { run: 'create rolebinding rb --clusterrole=view --user=a', out: /created/ },
      {
        run: `patch rolebinding rb -p '{"roleRef":{"name":"edit"}}'`,
        code: 1,
        err: /^The RoleBinding "rb" is invalid: roleRef: Invalid value: \{"apiGroup":"rbac\.authorization\.k8s\.io","kind":"ClusterRole","name":"edit"\}: cannot change roleRef\n$/,
      },
      {
        run: 'auth reconcile -f -',
        in: 'apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: rb, namespace: $NS}\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}\nsubjects: [{kind: User, name: b, apiGroup: rbac.authorization.k8s.io}]\n',
        out: 'rolebinding.rbac.authorization.k8s.io/rb reconciled',
        err: /reconciliation required recreate\n/,
      },
      { run: 'get rolebinding rb -o jsonpath={.roleRef.name}:{.subjects[*].name}', out: /^edit:/ },
      { run: 'run a --image=x', out: 'pod/a created' },
      {
        run: 'replace -f -',
        in: 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b, image: other}]}\n',
        code: 1,
        err: /pod updates may not change fields other than/,
      },
      {
        run: 'replace --force --grace-period=0 -f -',
        in: 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b, image: other}]}\n',
        out: /pod "a" (force )?deleted[^]*pod\/a replaced\n$/,
      },
      { run: 'get pod a -o jsonpath={..image}', out: 'other' },
      {
        run: `patch pod a --subresource=resize -p '{"spec":{"containers":[{"name":"b","resources":{"requests":{"cpu":"1"}}}]}}'`,
        code: 1,
        err: /Pod QOS Class may not change as a result of resizing|pods with qosClass BestEffort|Pod QOS Class/i,
      },
      {
        run: `patch pod a --subresource=status --type=json -p '[{"op":"add","path":"/status/message","value":"hi"}]'`,
        out: 'pod/a patched',
      },
      {
        run: `patch pod a --subresource=none -p '{}'`,
        code: 1,
        err: /(invalid subresource value: "none"|the server could not find the requested resource)/,
      },
      { run: 'autoscale deployment none --max=2', code: 1, err: /deployments\.apps "none" not found\n$/ },
      { run: 'expose service none --port=1', code: 1, err: /services "none" not found\n$/ },
    ],
  },
])
