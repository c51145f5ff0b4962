// kubectl create, run, expose, autoscale: every generator, and what the server made of it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { createAuthority, createSigningKey } from '../../../main/pki/certificates.ts'
import { kubectlScenarios } from '../../harness/kubectl-scenarios.ts'

const folder = mkdtempSync(join(tmpdir(), 'orrery-generators-'))
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})
const { cert, key } = await createAuthority('paint.example')
const [crt, pem, other] = ['tls.crt', 'tls.key', 'other.key'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
]
writeFileSync(crt, cert)
writeFileSync(pem, key)
writeFileSync(other, (await createSigningKey()).privatePem)

kubectlScenarios([
  {
    title: 'workloads',
    steps: [
      { run: 'create deployment web --image=nginx --replicas=2 --port=80', out: 'deployment.apps/web created' },
      {
        run: 'get deployment web -o jsonpath={.spec.strategy.type}:{.spec.revisionHistoryLimit}:{.spec.progressDeadlineSeconds}:{.spec.template.spec.containers[0].imagePullPolicy}',
        out: 'RollingUpdate:10:600:Always',
      },
      {
        run: 'create deployment web --image=nginx',
        err: 'error: failed to create deployment: deployments.apps "web" already exists',
        code: 1,
      },
      {
        run: 'create deployment Bad --image=nginx',
        err: /^error: failed to create deployment: Deployment\.apps "Bad" is invalid: metadata\.name: Invalid value: "Bad": a lowercase RFC 1123 subdomain must consist of/,
        code: 1,
      },
      { run: 'create job once --image=busybox -- date', out: 'job.batch/once created' },
      {
        run: "create cronjob tick --image=busybox --schedule='*/5 * * * *' -- date",
        out: 'cronjob.batch/tick created',
      },
      {
        run: "create cronjob tock --image=busybox --schedule='every day' -- date",
        err: /^error: failed to create cronjob: CronJob\.batch "tock" is invalid: spec\.schedule: Invalid value: "every day": /,
        code: 1,
      },
      { run: 'create job now --from=cronjob/tick', out: 'job.batch/now created' },
      {
        run: 'get job now -o jsonpath={.metadata.ownerReferences[0].kind}/{.metadata.annotations.cronjob\\.kubernetes\\.io/instantiate}',
        out: 'CronJob/manual',
      },
      { run: 'run one --image=busybox --restart=Never --labels=a=b -- sleep 1', out: 'pod/one created' },
      {
        run: 'run one --image=busybox',
        err: 'Error from server (AlreadyExists): pods "one" already exists',
        code: 1,
      },
      { run: 'run two --image=busybox --dry-run=server -o name', out: 'pod/two' },
      { run: 'get pod two', err: 'Error from server (NotFound): pods "two" not found', code: 1 },
      { run: 'autoscale deployment web --min=1 --max=4', out: 'horizontalpodautoscaler.autoscaling/web autoscaled' },
      {
        run: 'get hpa web --no-headers',
        out: /^web +Deployment\/web +cpu: <unknown>\/80% +1 +4 +\d +\d+s\n$/,
      },
    ],
  },
  {
    title: 'services',
    steps: [
      { run: 'create service clusterip one --tcp=80:8080', out: 'service/one created' },
      { run: 'create service nodeport two --tcp=80:8080', out: 'service/two created' },
      { run: 'create service loadbalancer three --tcp=80:8080', out: 'service/three created' },
      { run: 'create service externalname four --external-name=db.example', out: 'service/four created' },
      {
        run: 'get services --sort-by=.metadata.name',
        out: [
          /^NAME +TYPE +CLUSTER-IP +EXTERNAL-IP +PORT\(S\) +AGE\n/,
          /\nfour +ExternalName +<none> +db\.example +<none> +\d+s\n/,
          /\none +ClusterIP +10\.96\.\d+\.\d+ +<none> +80\/TCP +\d+s\n/,
          /\nthree +LoadBalancer +10\.96\.\d+\.\d+ +<pending> +80:3\d{4}\/TCP +\d+s\n/,
          /\ntwo +NodePort +10\.96\.\d+\.\d+ +<none> +80:3\d{4}\/TCP +\d+s\n/,
        ],
      },
      { run: 'create deployment web --image=nginx --port=8080', out: 'deployment.apps/web created' },
      { run: 'expose deployment web --port=80', out: 'service/web exposed' },
      { run: 'get service web -o jsonpath={.spec.selector}{.spec.ports[0].port}', out: '{"app":"web"}80' },
      { run: 'expose service one --port=81 --name=five', out: 'service/five exposed' },
      {
        run: "create ingress door --class=x --rule='paint.example/api*=web:80,tls=paint'",
        out: 'ingress.networking.k8s.io/door created',
      },
      { run: 'get ingress door --no-headers', out: /^door +x +paint\.example +80, 443 +\d+s\n$/ },
      { run: 'get endpointslices', out: /^NAME +ADDRESSTYPE +PORTS +ENDPOINTS +AGE\n/, until: true },
    ],
  },
  {
    title: 'configuration',
    steps: [
      { run: 'create configmap colours --from-literal=sky=blue', out: 'configmap/colours created' },
      { run: 'create secret generic keys --from-literal=a=b', out: 'secret/keys created' },
      { run: `create secret tls paint --cert=${crt} --key=${pem}`, out: 'secret/paint created' },
      {
        run: `create secret tls bad --cert=${crt} --key=${other}`,
        err: /private key does not match public key/,
        code: 1,
      },
      {
        run: 'create secret docker-registry pull --docker-username=a --docker-password=b',
        out: 'secret/pull created',
      },
      {
        run: 'get secrets -o custom-columns=NAME:.metadata.name,TYPE:.type --no-headers',
        out: 'keys    Opaque\npaint   kubernetes.io/tls\npull    kubernetes.io/dockerconfigjson',
      },
      { run: 'create quota limits --hard=pods=10,requests.cpu=1', out: 'resourcequota/limits created' },
      { run: 'create serviceaccount robot', out: 'serviceaccount/robot created' },
      { run: 'create token robot --duration=10m', out: /^[\w-]+\.[\w-]+\.[\w-]+\s*$/ },
      {
        run: 'create token nobody',
        err: 'error: failed to create token: serviceaccounts "nobody" not found',
        code: 1,
      },
      { run: 'create pdb web --selector=app=web --min-available=1', out: 'poddisruptionbudget.policy/web created' },
      { run: 'get pdb web --no-headers', out: /^web +1 +N\/A +0 +\d+s\n$/ },
      {
        run: 'create priorityclass $NS --value=10 --description=ten',
        out: 'priorityclass.scheduling.k8s.io/$NS created',
      },
      { run: 'get priorityclass $NS --no-headers', out: /^\S+ +10 +false +\d+s +PreemptLowerPriority\n$/ },
      { run: 'create namespace $NS-b', out: 'namespace/$NS-b created' },
      { run: 'get namespace $NS-b --no-headers', out: /^\S+ +Active +\d+s\n$/ },
    ],
  },
  {
    title: 'rights',
    steps: [
      {
        run: 'create role reader --verb=get,list --resource=pods,deployments.apps,pods/log',
        out: 'role.rbac.authorization.k8s.io/reader created',
      },
      {
        run: 'get role reader -o jsonpath={.rules}',
        out: '[{"apiGroups":[""],"resources":["pods","pods/log"],"verbs":["get","list"]},{"apiGroups":["apps"],"resources":["deployments"],"verbs":["get","list"]}]',
      },
      { run: 'create clusterrole $NS-a --verb=get --resource=nodes', out: /created/ },
      { run: 'create clusterrole $NS-b --verb=get --non-resource-url=/metrics', out: /created/ },
      { run: 'create clusterrole $NS-c --aggregation-rule=rbac.example/to=c', out: /created/ },
      {
        run: 'create rolebinding readers --role=reader --user=jo --serviceaccount=$NS:default',
        out: 'rolebinding.rbac.authorization.k8s.io/readers created',
      },
      {
        run: 'get rolebindings -o wide --no-headers',
        out: /^readers +Role\/reader +\d+s +jo +\S+\/default\n$/,
      },
      {
        run: 'create clusterrolebinding $NS --clusterrole=$NS-a --group=painters',
        out: 'clusterrolebinding.rbac.authorization.k8s.io/$NS created',
      },
      { run: 'auth can-i get pods --as=jo', out: 'yes' },
      { run: 'auth can-i delete pods --as=jo', out: 'no', code: 1 },
      { run: 'auth can-i get nodes --as=x --as-group=painters', out: /^yes/ },
      { run: 'auth can-i get pods --subresource=log --as=jo', out: 'yes' },
      {
        run: 'auth can-i --list --as=jo',
        out: [/^Resources +Non-Resource URLs +Resource Names +Verbs\n/, /\npods +\[\] +\[\] +\[get list\]\n/],
      },
      {
        run: 'get secrets --as=jo',
        err: 'Error from server (Forbidden): secrets is forbidden: User "jo" cannot list resource "secrets" in API group "" in the namespace "$NS"',
        code: 1,
      },
      {
        run: 'get nodes --as=jo',
        err: 'Error from server (Forbidden): nodes is forbidden: User "jo" cannot list resource "nodes" in API group "" at the cluster scope',
        code: 1,
      },
      { run: 'auth whoami -o jsonpath={.status.userInfo.username} --as=jo', out: 'jo' },
      {
        run: 'auth reconcile -f -',
        in: 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: reader, namespace: $NS}\nrules: [{apiGroups: [""], resources: [secrets], verbs: [get]}]\n',
        out: /^role\.rbac\.authorization\.k8s\.io\/reader reconciled\n/,
      },
      { run: 'auth can-i get secrets --as=jo', out: 'yes' },
    ],
  },
])
