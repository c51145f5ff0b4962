// kubectl apply, diff, edit, replace, patch, label, annotate, set, scale.
import { kubectlScenarios } from '../../harness/kubectl-scenarios.ts'

const pair = (first: string): string => `
apiVersion: v1
kind: ConfigMap
metadata: {name: one, labels: {set: $NS}}
data: {sky: ${first}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: two, labels: {set: $NS}}
data: {sky: red}
`
const only = (first: string): string => pair(first).split('---')[0] ?? ''

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "nginx:1"}, {name: side, image: "side:1"}]}
`

const conflictAdvice = `Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the \`--force-conflicts\` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts`

kubectlScenarios([
  {
    title: 'apply on the client side',
    steps: [
      { run: 'apply -f -', in: pair('blue'), out: 'configmap/one created\nconfigmap/two created' },
      { run: 'apply -f -', in: pair('blue'), out: 'configmap/one unchanged\nconfigmap/two unchanged' },
      { run: 'apply -f - --dry-run=server', in: pair('grey'), out: /^configmap\/one configured \(server dry run\)\n/ },
      { run: 'diff -f -', in: pair('grey'), code: 1, out: [/\n- {2}sky: blue\n\+ {2}sky: grey\n/] },
      { run: 'diff -f -', in: pair('blue'), out: '' },
      { run: 'apply -f -', in: pair('grey'), out: 'configmap/one configured\nconfigmap/two unchanged' },
      { run: 'apply view-last-applied configmap one', out: [/data:\n {2}sky: grey\n/] },
      {
        run: 'apply set-last-applied -f -',
        in: pair('black'),
        out: 'configmap/one configured\nconfigmap/two configured',
      },
      {
        run: 'apply -f - --prune -l set=$NS --prune-allowlist=core/v1/ConfigMap',
        in: only('grey'),
        out: 'configmap/one configured\nconfigmap/two pruned',
      },
      {
        run: 'apply -f - --prune --applyset=mine',
        env: { KUBECTL_APPLYSET: 'true' },
        in: pair('grey'),
        out: 'configmap/one configured\nconfigmap/two created',
      },
      {
        run: 'apply -f - --prune --applyset=mine',
        env: { KUBECTL_APPLYSET: 'true' },
        in: only('grey'),
        out: 'configmap/one unchanged\nconfigmap/two pruned',
      },
      {
        run: 'apply -f -',
        in: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndatum: {}\n',
        code: 1,
        err: /unknown field "datum"/,
      },
      {
        run: 'apply -f - --validate=warn',
        in: 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: warned}\ndatum: {}\n',
        out: 'configmap/warned created',
        err: /Warning: unknown field "datum"/,
      },
      {
        run: 'apply -f -',
        in: 'apiVersion: example.org/v1\nkind: Nothing\nmetadata: {name: x}\n',
        code: 1,
        err: /no matches for kind "Nothing" in version "example\.org\/v1"\nensure CRDs are installed first/,
      },
    ],
  },
  {
    title: 'apply on the server side',
    steps: [
      { run: 'apply --server-side -f -', in: only('blue'), out: 'configmap/one serverside-applied' },
      { run: 'apply --server-side -f -', in: only('blue'), out: 'configmap/one serverside-applied' },
      {
        run: 'apply --server-side -f - --field-manager=other',
        in: only('grey'),
        code: 1,
        err: `error: Apply failed with 1 conflict: conflict with "kubectl": .data.sky\n${conflictAdvice}`,
      },
      {
        run: 'apply --server-side -f - --field-manager=other',
        in: only('blue'),
        out: 'configmap/one serverside-applied',
      },
      {
        run: 'apply --server-side -f - --field-manager=other --force-conflicts',
        in: only('grey'),
        out: 'configmap/one serverside-applied',
      },
      {
        run: 'get configmap one -o jsonpath={range.metadata.managedFields[*]}{.manager}={.operation},{end} --show-managed-fields',
        out: 'kubectl=Apply,other=Apply,',
      },
      { run: 'diff --server-side -f - --field-manager=other', in: only('black'), code: 1, out: /\+ {2}sky: black\n/ },
      { run: 'apply -f -', in: web, out: 'deployment.apps/web created' },
      { run: 'apply --server-side -f -', in: web, out: 'deployment.apps/web serverside-applied' },
    ],
  },
  {
    title: 'replace and edit',
    steps: [
      { run: 'create -f -', in: pair('blue'), out: 'configmap/one created\nconfigmap/two created' },
      { run: 'replace -f -', in: pair('grey'), out: 'configmap/one replaced\nconfigmap/two replaced' },
      {
        run: 'replace --force -f -',
        in: only('black'),
        out: 'configmap "one" deleted$FROM\nconfigmap/one replaced',
      },
      {
        run: 'replace -f -',
        in: only('black').replace('name: one', 'name: none'),
        code: 1,
        err: 'Error from server (NotFound): error when replacing "STDIN": configmaps "none" not found',
      },
      {
        run: 'replace -f -',
        in: only('black').replace('name: one,', 'name: one, resourceVersion: "1",'),
        code: 1,
        err: /^Error from server \(Conflict\): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "one": the object has been modified; please apply your changes to the latest version and try again\n$/,
      },
      { run: 'edit configmap one', env: { EDITOR: 'sed -i s/black/white/' }, out: 'configmap/one edited' },
      { run: 'get configmap one -o jsonpath={.data.sky}', out: 'white' },
      { run: 'edit configmap one', env: { EDITOR: 'true' }, err: 'Edit cancelled, no changes made.' },
      { run: 'create -f -', in: web, out: 'deployment.apps/web created' },
      {
        run: 'edit deployment web --subresource=status',
        env: { EDITOR: 'sed -i s/observedGeneration:.*/observedGeneration:\\ 7/' },
        out: 'deployment.apps/web edited',
        until: true,
      },
    ],
  },
  {
    title: 'patch',
    steps: [
      { run: 'create -f -', in: `${web}---${only('blue')}`, out: 'deployment.apps/web created\nconfigmap/one created' },
      { run: `patch configmap one -p '{"data":{"sea":"green"}}'`, out: 'configmap/one patched' },
      { run: `patch configmap one -p '{"data":{"sea":"green"}}'`, out: 'configmap/one patched (no change)' },
      { run: `patch configmap one --type=merge -p '{"data":{"sea":null}}'`, out: 'configmap/one patched' },
      { run: 'get configmap one -o jsonpath={.data}', out: '{"sky":"blue"}' },
      {
        run: `patch configmap one --type=json -p '[{"op":"test","path":"/data/sky","value":"red"}]'`,
        code: 1,
        err: 'The request is invalid: the server rejected our request due to an error in our request',
      },
      {
        run: `patch configmap one --type=json -p '[{"op":"add","path":"/data/sea","value":"green"},{"op":"move","from":"/data/sea","path":"/data/lake"}]'`,
        out: 'configmap/one patched',
      },
      { run: 'get configmap one -o jsonpath={.data}', out: '{"lake":"green","sky":"blue"}' },
      {
        run: `patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"side:2"}]}}}}'`,
        out: 'deployment.apps/web patched',
      },
      { run: 'get deployment web -o jsonpath={.spec.template.spec.containers[*].image}', out: 'nginx:1 side:2' },
      {
        run: `patch deployment web -p '{"spec":{"template":{"spec":{"containers":[{"$patch":"delete","name":"side"}]}}}}'`,
        out: 'deployment.apps/web patched',
      },
      { run: 'get deployment web -o jsonpath={.spec.template.spec.containers[*].name}', out: 'main' },
      {
        run: `patch deployment web --type=merge -p '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}'`,
        code: 1,
        err: [
          /^The Deployment "web" is invalid: *\n/,
          /\* spec\.template\.metadata\.labels: Invalid value: (\{"app":"web"\}|map\[string\]string\{"app":"web"\}): `selector` does not match template `labels`\n/,
          /\* spec\.selector: Invalid value: \{"matchLabels":\{"app":"other"\}\}: field is immutable\n/,
        ],
      },
      {
        run: `patch deployment web --subresource=status --type=merge -p '{"status":{"collisionCount":3}}'`,
        out: 'deployment.apps/web patched',
      },
      { run: 'get deployment web --subresource=status -o jsonpath={.status.collisionCount}', out: '3' },
      { run: 'get deployment web --subresource=scale', out: /^NAME +DESIRED +AVAILABLE +AGE\nweb +1 +\d +\d+s\n$/ },
      { run: `patch deployment web --subresource=scale --type=merge -p '{"spec":{"replicas":0}}'`, out: /patched\n$/ },
      { run: 'get deployment web -o jsonpath={.spec.replicas}', out: '0' },
      {
        run: `patch configmap none -p '{}'`,
        code: 1,
        err: 'Error from server (NotFound): configmaps "none" not found',
      },
      {
        run: `patch configmap one --type=json -p '{"a":1}'`,
        code: 1,
        err: /^Error from server \(BadRequest\): (error decoding patch: )?json: cannot unmarshal object into Go value of type/,
      },
    ],
  },
  {
    title: 'labels and annotations',
    steps: [
      { run: 'create configmap one', out: 'configmap/one created' },
      { run: 'label configmap one tier=front', out: 'configmap/one labeled' },
      { run: 'label configmap one tier=front', out: 'configmap/one not labeled' },
      { run: 'label configmap one tier=back', code: 1, err: /already has a value \(front\), and --overwrite is false/ },
      { run: 'label configmap one tier=back --overwrite', out: 'configmap/one labeled' },
      { run: 'label configmap one --list', out: 'tier=back' },
      { run: 'label configmap one tier-', out: 'configmap/one unlabeled' },
      {
        run: `patch configmap one -p '{"metadata":{"labels":{"a b":"c"}}}'`,
        code: 1,
        err: /^The ConfigMap "one" is invalid: metadata\.labels: Invalid value: "a b": name part must consist of alphanumeric characters/,
      },
      { run: 'annotate configmap one note=hello', out: 'configmap/one annotated' },
      { run: 'annotate configmap one --list', out: 'note=hello' },
      { run: 'annotate configmap one note-', out: 'configmap/one annotated' },
      { run: 'label configmaps --all swept=yes', out: /configmap\/one labeled/ },
    ],
  },
  {
    title: 'set',
    steps: [
      { run: 'create -f -', in: web, out: 'deployment.apps/web created' },
      { run: 'set image deployment/web main=nginx:2', out: 'deployment.apps/web image updated' },
      { run: 'set image deployment/web bad=nginx:2', code: 1, err: 'error: unable to find container named "bad"' },
      { run: 'set env deployment/web A=b', out: 'deployment.apps/web env updated' },
      {
        run: 'set env deployment/web --list',
        out: '# Deployment web, container main\nA=b\n# Deployment web, container side\nA=b',
      },
      {
        run: 'set resources deployment web --limits=cpu=200m,memory=512Mi',
        out: 'deployment.apps/web resource requirements updated',
      },
      {
        run: 'get deployment web -o jsonpath={.spec.template.spec.containers[0].resources}',
        out: '{"limits":{"cpu":"200m","memory":"512Mi"}}',
      },
      { run: 'create serviceaccount robot', out: 'serviceaccount/robot created' },
      { run: 'set serviceaccount deployment web robot', out: 'deployment.apps/web serviceaccount updated' },
      { run: 'get deployment web -o jsonpath={.spec.template.spec.serviceAccount}', out: 'robot' },
      { run: 'create service clusterip web --tcp=80', out: 'service/web created' },
      { run: "set selector service web 'app=web,tier=front'", out: 'service/web selector updated' },
      {
        run: 'create rolebinding view --clusterrole=view --user=a',
        out: 'rolebinding.rbac.authorization.k8s.io/view created',
      },
      {
        run: 'set subject rolebinding view --user=b',
        out: 'rolebinding.rbac.authorization.k8s.io/view subjects updated',
      },
    ],
  },
  {
    title: 'scale',
    steps: [
      { run: 'create -f -', in: web, out: 'deployment.apps/web created' },
      { run: 'scale deployment web --replicas=3', out: 'deployment.apps/web scaled' },
      { run: 'get pods -l app=web -o name', out: /^(pod\/web-\S+\n){3}$/, until: true },
      {
        run: 'scale deployment web --replicas=4 --current-replicas=9',
        code: 1,
        err: 'error: Expected replicas to be 9, was 3',
      },
      { run: 'scale deployment none --replicas=1', code: 1, err: /deployments\.apps "none" not found\n$/ },
      { run: 'create configmap one', out: 'configmap/one created' },
      {
        run: 'scale configmap one --replicas=1',
        code: 1,
        err: /could not find the requested resource\n$/,
      },
      { run: 'scale deployment web --replicas=0', out: 'deployment.apps/web scaled' },
      { run: 'get pods -l app=web -o name', out: '', until: true },
    ],
  },
])
