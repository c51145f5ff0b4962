// kubectl delete, with all its ways to choose and to wait; kubectl wait.
import { kubectlScenarios } from '../../harness/kubectl-scenarios.ts'

const web = `
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "nginx:1"}]}
`
const held = `
apiVersion: v1
kind: ConfigMap
metadata: {name: held, finalizers: [example.org/hold]}
`

kubectlScenarios([
  {
    title: 'cascades',
    steps: [
      { run: 'create -f -', in: web, out: 'replicaset.apps/web created' },
      { run: 'get pods -o name', out: /^(pod\/web-\S+\n){2}$/, until: true },
      { run: 'delete replicaset web --cascade=orphan', out: 'replicaset.apps "web" deleted$FROM' },
      { run: 'get pods -o name', out: /^(pod\/web-\S+\n){2}$/ },
      { run: 'get pods -o jsonpath={.items[*].metadata.ownerReferences}', out: '' },
      { run: 'create -f -', in: web, out: 'replicaset.apps/web created' },
      {
        run: 'get pods -o jsonpath={.items[*].metadata.ownerReferences[*].kind}',
        out: 'ReplicaSet ReplicaSet',
        until: true,
      },
      { run: 'delete replicaset web --cascade=foreground', out: 'replicaset.apps "web" deleted$FROM' },
      { run: 'get pods -o name', out: '' },
      { run: 'create -f -', in: web, out: 'replicaset.apps/web created' },
      { run: 'get pods -o name', out: /^(pod\/web-\S+\n){2}$/, until: true },
      { run: 'delete replicaset web', out: 'replicaset.apps "web" deleted$FROM' },
      { run: 'get pods -o name', out: '', until: true },
    ],
  },
  {
    title: 'choosing',
    steps: [
      { run: 'create configmap one', out: 'configmap/one created' },
      { run: 'create configmap two', out: 'configmap/two created' },
      { run: 'create configmap three', out: 'configmap/three created' },
      { run: 'label configmap two three set=x', out: 'configmap/two labeled\nconfigmap/three labeled' },
      { run: 'delete configmap none', code: 1, err: 'Error from server (NotFound): configmaps "none" not found' },
      { run: 'delete configmap none --ignore-not-found', out: '' },
      { run: 'delete configmap one --dry-run=server', out: 'configmap "one" deleted$FROM (server dry run)' },
      { run: 'delete configmap one -o name', out: 'configmap/one' },
      { run: 'delete configmap -l set=x --field-selector=metadata.name=two', out: 'configmap "two" deleted$FROM' },
      { run: 'delete configmap -l set=x', out: 'configmap "three" deleted$FROM' },
      { run: 'run one --image=x', out: 'pod/one created' },
      { run: 'run two --image=x', out: 'pod/two created' },
      {
        run: 'delete pod one --grace-period=0 --force',
        out: /^pod "one" force deleted/,
        err: /^Warning: Immediate deletion does not wait for confirmation/,
      },
      { run: 'delete pod --field-selector=status.phase=Pending', out: 'pod "two" deleted$FROM' },
      { run: 'delete pods --all', out: 'No resources found' },
      { run: 'create -f -', in: web, out: 'replicaset.apps/web created' },
      { run: 'delete -f -', in: web, out: 'replicaset.apps "web" deleted$FROM' },
      {
        run: 'delete --raw /api/v1/namespaces/$NS/configmaps/none',
        code: 1,
        err: 'Error from server (NotFound): configmaps "none" not found',
      },
    ],
  },
  {
    title: 'waiting',
    steps: [
      { run: 'create -f -', in: held, out: 'configmap/held created' },
      { run: 'delete configmap held --wait=false', out: 'configmap "held" deleted$FROM' },
      { run: 'get configmap held -o jsonpath={.metadata.deletionGracePeriodSeconds}', out: '0' },
      {
        run: 'delete configmap held --timeout=1s',
        code: 1,
        err: /^error: timed out waiting for the condition on configmaps\/held\n$/,
      },
      {
        run: 'wait --for=delete configmap/held --timeout=1s',
        code: 1,
        err: /timed out waiting for the condition on configmaps\/held/,
      },
      {
        run: `patch configmap held --type=merge -p '{"metadata":{"finalizers":["example.org/hold","example.org/more"]}}'`,
        code: 1,
        err: /^The ConfigMap "held" is invalid: metadata\.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers \[\]string\{"example\.org\/more"\}\n$/,
      },
      { run: `patch configmap held --type=merge -p '{"metadata":{"finalizers":null}}'`, out: 'configmap/held patched' },
      { run: 'wait --for=delete configmap/held --timeout=10s', out: '' },
      { run: 'create deployment web --image=x', out: 'deployment.apps/web created' },
      { run: 'wait --for=create deployment/web', out: 'deployment.apps/web condition met' },
      {
        run: 'wait --for=jsonpath={.status.observedGeneration}=1 deployment/web',
        out: 'deployment.apps/web condition met',
      },
      { run: 'wait --for=condition=Progressing deployment/web', out: 'deployment.apps/web condition met' },
      { run: 'wait --for=condition=Available=False deployment/web', out: 'deployment.apps/web condition met' },
      {
        run: 'wait --for=condition=Available deployment/web --timeout=1s',
        code: 1,
        err: 'error: timed out waiting for the condition on deployments/web',
      },
      { run: 'wait --for=delete deployment/none', code: 0 },
      { run: 'create namespace $NS-b', out: 'namespace/$NS-b created' },
      { run: 'create configmap one --namespace=$NS-b', out: 'configmap/one created' },
      { run: 'delete namespace $NS-b', out: 'namespace "$NS-b" deleted' },
      {
        run: 'get configmap one --namespace=$NS-b',
        code: 1,
        err: 'Error from server (NotFound): namespaces "$NS-b" not found',
      },
      {
        run: 'create configmap one --namespace=$NS-b',
        code: 1,
        err: 'error: failed to create configmap: namespaces "$NS-b" not found',
      },
    ],
  },
])
