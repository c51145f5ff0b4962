// kubectl debug as far as an API server goes: what it adds to pods, what it copies, what it starts on nodes; and kubectl events.
import { kubectlScenarios, type Step } from '../../harness/kubectl-scenarios.ts'

const target: Step = { run: 'run target --image=nginx', out: 'pod/target created' }
const containers = 'get pod target-copy -o jsonpath={range.spec.containers[*]}{.name}={.image},{end}'
const restricted = `
apiVersion: v1
kind: Pod
metadata: {name: target}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: target
      image: busybox
      securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
`

kubectlScenarios([
  {
    title: 'ephemeral containers',
    steps: [
      target,
      { run: 'debug target -it --image=busybox --attach=false -c dbg', err: /^(--profile=legacy is deprecated.*\n)?/ },
      {
        run: 'get pod target -o jsonpath={range.spec.ephemeralContainers[*]}{.name}={.image}:{.stdin}:{.imagePullPolicy}{end}',
        out: 'dbg=busybox:true:Always',
      },
      { run: 'debug target --image=busybox --attach=false -c general --profile=general' },
      {
        run: 'get pod target -o jsonpath={.spec.ephemeralContainers[1].securityContext.capabilities.add}',
        out: '["SYS_PTRACE"]',
      },
      { run: 'debug target --image=busybox --attach=false -c restricted --profile=restricted' },
      {
        run: 'get pod target -o jsonpath={.spec.ephemeralContainers[2].securityContext.runAsNonRoot}',
        out: 'true',
      },
      { run: 'debug target --image=busybox --attach=false -c sys --profile=sysadmin --target=target' },
      {
        run: 'get pod target -o jsonpath={.spec.ephemeralContainers[3].securityContext.privileged}:{.spec.ephemeralContainers[3].targetContainerName}',
        out: 'true:target',
      },
      { run: 'describe pod target', out: /\nEphemeral Containers:\n {2}dbg:\n {4}Image: +busybox\n/ },
      {
        run: `patch pod target -p '{"spec":{"ephemeralContainers":[{"name":"more","image":"x"}]}}'`,
        code: 1,
        err: /spec\.ephemeralContainers|pod updates may not change fields other than/,
      },
    ],
  },
  {
    title: 'copies',
    steps: [
      target,
      { run: 'debug target -it --copy-to=target-copy --image=busybox -c dbg --attach=false --profile=general' },
      { run: containers, out: 'target=nginx,dbg=busybox,' },
      { run: 'get pod target-copy -o jsonpath={.spec.shareProcessNamespace}', out: 'true' },
      { run: 'get pods -o name', out: 'pod/target\npod/target-copy' },
      { run: 'delete pod target-copy --now' },
      { run: 'debug target --image=busybox --container=target --copy-to=target-copy --profile=general -- sleep 1m' },
      { run: containers, out: 'target=busybox,' },
      { run: 'get pod target-copy -o jsonpath={.spec.containers[0].command}', out: '["sleep","1m"]' },
      { run: 'delete pod target-copy --now' },
      { run: 'debug target --copy-to=target-copy --set-image=*=other --replace --profile=general' },
      { run: containers, out: 'target=other,' },
      { run: 'get pods -o name', out: 'pod/target-copy', until: true },
    ],
  },
  {
    title: 'debugging where rules are strict',
    steps: [
      {
        run: 'label namespace $NS pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/enforce-version=latest',
        out: 'namespace/$NS labeled',
      },
      {
        run: 'run refused --image=nginx',
        code: 1,
        err: /^Error from server \(Forbidden\): pods "refused" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(container "refused" must set securityContext\.allowPrivilegeEscalation=false\), /,
      },
      { run: 'create -f -', in: restricted, out: 'pod/target created' },
      {
        run: 'debug target --image=busybox --attach=false -c dbg --profile=general',
        code: 1,
        err: /violates PodSecurity "restricted:latest"/,
      },
      { run: 'debug target --image=busybox --attach=false -c dbg --profile=restricted' },
      { run: 'get pod target -o jsonpath={.spec.ephemeralContainers[0].name}', out: 'dbg' },
    ],
  },
  {
    title: 'debugging nodes',
    steps: [
      {
        run: 'create -f -',
        in: 'apiVersion: v1\nkind: Node\nmetadata: {name: $NS}\n',
        out: 'node/$NS created',
      },
      {
        run: 'debug node/$NS --image=busybox --attach=false --profile=general -- true',
        out: /^Creating debugging pod node-debugger-\S+ with container debugger on node \S+\.\n$/,
      },
      {
        run: 'get pods -o jsonpath={range.items[*]}{.spec.nodeName}:{.spec.hostPID}:{.spec.hostNetwork}:{.spec.volumes[0].hostPath.path}:{.spec.containers[0].volumeMounts[0].mountPath}{end}',
        out: '$NS:true:true:/:/host',
      },
      { run: 'delete pods --all --force --grace-period=0' },
      { run: 'debug node/none --image=busybox --attach=false', code: 1, err: /nodes "none" not found\n$/ },
      { run: 'delete node $NS' },
    ],
  },
  {
    title: 'events of one object',
    steps: [
      { run: `create cronjob pi --schedule='59 23 31 2 *' --image=x`, out: 'cronjob.batch/pi created' },
      { run: 'events', out: /Warning +InvalidSchedule +(Cronjob|CronJob)\/pi/, until: true },
      { run: 'events -A', out: /\$?\S+ +\S+ +Warning +InvalidSchedule +(Cronjob|CronJob)\/pi/ },
      {
        run: 'events --for=Cronjob/pi',
        out: /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+.* +Warning +InvalidSchedule/,
      },
      { run: 'events --for=Cronjob/pi --types=Normal', out: '', err: /^No events found in \S+ namespace\.\n$/ },
      { run: 'events --for=Cronjob/pi --types=Warning --no-headers', out: /^\S+.* +Warning +InvalidSchedule/ },
      { run: 'events --for=Cronjob/pi --watch --request-timeout=1s', out: /InvalidSchedule/ },
      { run: 'events --for=Cronjob/pi -o json', out: /"reason": "InvalidSchedule"/ },
      { run: 'events --for=Cronjob/pi -o yaml', out: /reason: InvalidSchedule\n/ },
      { run: 'events --for=cronjob/none', out: '', err: 'No events found in $NS namespace.' },
      {
        run: 'get events --field-selector=involvedObject.kind=CronJob,reason=InvalidSchedule,type=Warning -o jsonpath={.items[0].involvedObject.name}',
        out: 'pi',
      },
      {
        run: 'get events.events.k8s.io --field-selector=regarding.name=pi -o name',
        out: /^event\.events\.k8s\.io\/pi\./,
      },
    ],
  },
])
