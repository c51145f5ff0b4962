// kubectl get in all its forms, describe, explain, events, and what a cluster tells about itself.
import { kubectlScenarios } from '../../harness/kubectl-scenarios.ts'

const things = `
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {tier: front}}
data: {a: "1"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two}
data: {a: "1", b: "2"}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  schedulerName: nobody
  containers: [{name: main, image: "nginx:1", ports: [{containerPort: 80}]}, {name: side, image: "side:1"}]
`

kubectlScenarios([
  {
    title: 'forms of output',
    steps: [
      { run: 'create -f -', in: things, out: 'configmap/one created\nconfigmap/two created\npod/web created' },
      { run: 'delete configmap kube-root-ca.crt --wait=false' },
      { run: 'get configmap one two', out: /^NAME +DATA +AGE\none +1 +\d+s\ntwo +2 +\d+s\n$/ },
      { run: 'get configmap one -o name', out: 'configmap/one' },
      {
        run: 'get cm one -o yaml',
        out: [/^apiVersion: v1\ndata:\n {2}a: "1"\nkind: ConfigMap\nmetadata:\n/, /\n {2}resourceVersion: "\d+"\n/],
      },
      { run: 'get cm one -o json', out: /^\{\n {4}"apiVersion": "v1",\n {4}"data": \{\n/ },
      { run: 'get cm one -o json --show-managed-fields', out: /"manager": "kubectl-create"/ },
      { run: 'get cm one -o jsonpath={.data.a}', out: '1' },
      { run: `get cm one two -o go-template='{{range .items}}{{.metadata.name}} {{end}}'`, out: 'one two ' },
      {
        run: 'get cm one two -o custom-columns=NAME:.metadata.name,DATA:.data',
        out: 'NAME   DATA\none    map[a:1]\ntwo    map[a:1 b:2]',
      },
      { run: 'get cm one two --no-headers', out: /^one +1 +\d+s\ntwo +2 +\d+s\n$/ },
      { run: 'get cm one two --sort-by=.metadata.name -o name', out: 'configmap/one\nconfigmap/two' },
      { run: 'get cm one two -L tier', out: [/^NAME +DATA +AGE +TIER\n/, /\none +1 +\d+s +front\n/] },
      { run: 'get cm one --show-labels', out: /one +1 +\d+s +tier=front\n$/ },
      { run: 'get cm one --show-kind', out: /configmap\/one +1/ },
      { run: 'get cm,pod one', code: 1, err: /pods "one" not found/ },
      { run: 'get cm -l tier=front -o name', out: 'configmap/one' },
      { run: 'get cm -l tier=none', err: 'No resources found in $NS namespace.' },
      { run: 'get cm --field-selector=metadata.name=two -o name', out: 'configmap/two' },
      {
        run: 'get cm --field-selector=data.a=1',
        code: 1,
        err: /"data\.a" is not a known field selector: only "metadata\.name", "metadata\.namespace"\n$/,
      },
      { run: 'get cm --chunk-size=1 -o name', out: /configmap\/one\nconfigmap\/two\n/ },
      { run: 'get cm none', code: 1, err: 'Error from server (NotFound): configmaps "none" not found' },
      { run: 'get cm none --ignore-not-found', out: '' },
      { run: 'get nothing', code: 1, err: `error: the server doesn't have a resource type "nothing"` },
      {
        run: 'get pods -A --field-selector=metadata.namespace=$NS',
        out: /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE\n\S+ +web +0\/2 +Pending +0 +\d+s\n$/,
      },
      {
        run: 'get pod web -o wide',
        out: /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\nweb +0\/2 +Pending +0 +\d+s +<none> +<none> +<none> +<none>\n$/,
      },
      {
        run: 'get --raw /api/v1/namespaces/$NS/configmaps/one',
        out: /^\{"kind":"ConfigMap","apiVersion":"v1","metadata":\{/,
      },
      { run: 'get --raw /healthz', out: 'ok' },
      {
        run: 'get --raw /apis/nothing',
        code: 1,
        err: 'Error from server (NotFound): the server could not find the requested resource',
      },
      { run: 'get cm -w --request-timeout=1s', out: /^NAME +DATA +AGE\n[^]*one / },
      { run: 'get cm one --watch-only --request-timeout=1s', out: '' },
      { run: 'get events --field-selector=reason=None', err: 'No resources found in $NS namespace.' },
      { run: 'logs web', code: 0, out: '' },
      { run: 'logs web -c nobody', code: 1, err: /container nobody is not valid for pod web/ },
      { run: 'exec web -c main -- ls', code: 1, err: /pod web does not have a host assigned\n$/ },
      {
        run: 'attach web -c main',
        code: 1,
        err: /(cannot attach a container in a completed pod|pod web does not have a host assigned)/,
      },
      {
        run: 'port-forward pod/web :80',
        code: 1,
        err: 'error: unable to forward port because pod is not running. Current status=Pending',
      },
      { run: 'debug web --image=busybox -c dbg --attach=false', code: 0 },
      { run: 'get pod web -o jsonpath={.spec.ephemeralContainers[0].name}', out: 'dbg' },
    ],
  },
  {
    title: 'descriptions',
    steps: [
      { run: 'create -f -', in: things, out: /created/ },
      {
        run: 'describe pod web',
        out: [
          /^Name: +web\n/,
          /\nStatus: +Pending\n/,
          /\nContainers:\n {2}main:\n {4}Image: +nginx:1\n {4}Port: +80\/TCP\n/,
          /\nQoS Class: +BestEffort\n/,
          /\nEvents: +<none>\n$/,
        ],
      },
      {
        run: 'describe configmap one',
        out: [/^Name: +one\nNamespace: +\S+\nLabels: +tier=front\nAnnotations: +<none>\n\nData\n====\na:\n----\n1\n/],
      },
      {
        run: 'describe namespace $NS',
        out: [/\nStatus: +Active\n/, /\nNo resource quota\.\n/, /\nNo LimitRange resource\.\n/],
      },
      { run: 'create deployment app --image=x', out: /created/ },
      { run: 'describe deployment app', out: [/\nReplicas: +1 desired/, /\nPod Template:\n {2}Labels: +app=app\n/] },
      { run: 'expose deployment app --port=80', out: /exposed/ },
      {
        run: 'describe service app',
        out: [/\nType: +ClusterIP\n/, /\nTargetPort: +80\/TCP\n/, /\nSession Affinity: +None\n/],
      },
      { run: 'create job once --image=x', out: /created/ },
      { run: 'describe job once', out: [/\nParallelism: +1\n/, /\nCompletion Mode: +NonIndexed\n/] },
      { run: `create cronjob tick --image=x --schedule='@hourly'`, out: /created/ },
      {
        run: 'describe cronjob tick',
        out: [/\nSchedule: +@hourly\n/, /\nConcurrency Policy: +Allow\n/, /\nSuspend: +False\n/],
      },
      { run: 'create secret generic keys --from-literal=a=bcd', out: /created/ },
      { run: 'describe secret keys', out: /\na: {2}3 bytes\n/ },
      { run: 'create role reader --verb=get --resource=pods', out: /created/ },
      { run: 'describe role reader', out: /\n {2}pods +\[\] +\[\] +\[get\]\n/ },
      { run: 'create quota few --hard=pods=3', out: /created/ },
      { run: 'describe quota few', out: /\nResource +Used +Hard\n-+ +-+ +-+\npods +\d +3\n/, until: true },
      { run: 'create pdb app --selector=app=app --min-available=1', out: /created/ },
      { run: 'describe pdb app', out: [/\nMin available: +1\n/, /\nSelector: +app=app\n/] },
      { run: `create ingress door --rule='a.example/*=app:80'`, out: /created/ },
      { run: 'describe ingress door', out: /\n {2}a\.example +\n +\/ +app:80 \(/ },
      { run: 'describe nothing', code: 1, err: /the server doesn't have a resource type "nothing"\n$/ },
      { run: 'describe pod none', code: 1, err: 'Error from server (NotFound): pods "none" not found' },
      {
        run: 'get events --field-selector=involvedObject.kind=Deployment',
        out: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Normal +ScalingReplicaSet +deployment\/app +Scaled up replica set app-\w+ from 0 to 1\n/,
        until: true,
      },
      { run: 'events --for=deployment/app --types=Normal', out: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/ },
    ],
  },
  {
    title: 'the cluster',
    steps: [
      { run: 'version', out: /\nServer Version: v1\.36\.\d+/ },
      { run: 'cluster-info', out: /Kubernetes control plane/ },
      { run: 'api-versions', out: [/^admissionregistration\.k8s\.io\/v1\n|\napps\/v1\n/, /\nbatch\/v1\n/, /\nv1\n$/] },
      {
        run: 'api-resources --api-group=apps',
        out: [
          /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\n/,
          /\ndeployments +deploy +apps\/v1 +true +Deployment\n/,
        ],
      },
      {
        run: 'api-resources --verbs=list --namespaced=false -o name',
        out: [/^componentstatuses\n|^namespaces\n|\nnodes\n/, /\nclusterroles\.rbac\.authorization\.k8s\.io\n/],
      },
      {
        run: 'explain deployment.spec.strategy',
        out: [
          /^GROUP: +apps\nKIND: +Deployment\nVERSION: +v1\n\nFIELD: strategy <DeploymentStrategy>\n/,
          /\nDESCRIPTION:\n {4}The deployment strategy to use/,
          /\n {2}rollingUpdate\t<RollingUpdateDeployment>\n/,
        ],
      },
      { run: 'explain pod --recursive', out: / {4}containers\t<\[\]Container> -required-\n/ },
      { run: 'explain pod.spec.nothing', code: 1, err: 'error: field "nothing" does not exist' },
      { run: 'explain hpa --api-version=autoscaling/v1', out: /VERSION: +v1\n/ },
      { run: 'explain hpa', out: /VERSION: +v2\n/ },
      {
        run: 'config view -o jsonpath={.clusters[0].cluster.certificate-authority-data}',
        out: /OMITTED|REDACTED|^DATA/,
      },
      { run: 'completion bash', out: /kubectl/ },
      { run: 'plugin list', code: 1, err: /unable to find any kubectl plugins/ },
      {
        run: 'auth whoami',
        out: /^ATTRIBUTE +VALUE\nUsername +orrery-admin\nGroups +\[system:masters system:authenticated\]\n/,
      },
      {
        run: 'auth can-i create nothings',
        out: /yes/,
        err: /Warning: the server doesn't have a resource type 'nothings'/,
      },
      { run: 'cluster-info dump --namespaces=$NS', out: /"kind": "NodeList"/ },
      { run: 'top nodes', code: 1, err: /metrics/i },
    ],
  },
  {
    title: 'nodes',
    steps: [
      {
        run: 'create -f -',
        in: 'apiVersion: v1\nkind: Node\nmetadata: {name: $NS}\nspec: {podCIDR: 10.99.0.0/24}\n',
        out: 'node/$NS created',
      },
      { run: 'get node $NS --no-headers', out: /^\S+ +(Unknown|NotReady) +<none> +\d+s +\n$/ },
      { run: 'cordon $NS', out: 'node/$NS cordoned' },
      { run: 'cordon $NS', out: 'node/$NS already cordoned' },
      { run: 'get node $NS --no-headers', out: /SchedulingDisabled/ },
      { run: 'uncordon $NS', out: 'node/$NS uncordoned' },
      { run: 'taint node $NS a=b:NoSchedule', out: 'node/$NS tainted' },
      {
        run: 'taint node $NS a=b:NoSchedule',
        code: 1,
        err: 'error: node $NS already has a taint(s) with same effect(s) and --overwrite is false',
      },
      { run: 'taint node $NS a-', out: 'node/$NS untainted' },
      { run: 'label node $NS node-role.kubernetes.io/worker=', out: 'node/$NS labeled' },
      { run: 'get node $NS --no-headers', out: / worker / },
      { run: 'create -f -', in: things.replace('schedulerName: nobody', 'nodeName: $NS'), out: /pod\/web created/ },
      {
        run: 'drain $NS --timeout=1s',
        code: 1,
        err: /cannot delete.*Pods that declare no controller \(use --force to override\): \S+\/web/,
      },
      {
        run: 'drain $NS --force --grace-period=0 --timeout=20s',
        out: /evicting pod \S+\/web\n[^]*node\/\S+ drained\n$/,
      },
      {
        run: 'describe node $NS',
        out: [
          /\nUnschedulable: +true\n/,
          /\nTaints: +.*node\.kubernetes\.io\/unschedulable:NoSchedule/,
          /\nNon-terminated Pods: +\(0 in total\)\n/,
        ],
      },
      { run: 'delete node $NS', out: 'node "$NS" deleted' },
    ],
  },
])
