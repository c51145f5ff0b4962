// kubectl rollout: status, history, undo, pause, resume, restart, of every kind that rolls out.
import { kubectlScenarios } from '../../harness/kubectl-scenarios.ts'

const workload = (kind: string, extra = ''): string => `
apiVersion: apps/v1
kind: ${kind}
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "nginx:1"}]}
${extra}`

kubectlScenarios([
  {
    title: 'deployment',
    steps: [
      { run: 'create -f -', in: workload('Deployment'), out: 'deployment.apps/web created' },
      { run: 'annotate deployment web kubernetes.io/change-cause=first', out: 'deployment.apps/web annotated' },
      {
        run: 'rollout status deployment web --watch=false',
        out: /^Waiting for deployment "web" rollout to finish: 0 of 1 updated replicas are available\.\.\.\n$/,
        until: true,
      },
      {
        run: 'rollout status deployment web --timeout=1s',
        code: 1,
        err: 'error: timed out waiting for the condition',
      },
      { run: 'set image deployment/web main=nginx:2', out: 'deployment.apps/web image updated' },
      {
        run: 'rollout history deployment web',
        out: 'deployment.apps/web \nREVISION  CHANGE-CAUSE\n1         first\n2         first\n',
        until: true,
      },
      {
        run: 'rollout history deployment web --revision=2',
        out: [/^deployment\.apps\/web with revision #2\nPod Template:\n/, / {4}Image:\tnginx:2\n/],
      },
      { run: 'rollout undo deployment web', out: 'deployment.apps/web rolled back' },
      { run: 'get deployment web -o jsonpath={..image}', out: 'nginx:1' },
      { run: 'rollout history deployment web', out: /\n2 +first\n3 +first\n/, until: true },
      {
        run: 'rollout undo deployment web --to-revision=77',
        code: 1,
        err: 'error: unable to find specified revision 77 in history',
      },
      { run: 'rollout pause deployment web', out: 'deployment.apps/web paused' },
      { run: 'rollout pause deployment web', code: 1, err: 'error: deployments.apps "web" is already paused' },
      {
        run: 'rollout restart deployment web',
        code: 1,
        err: `error: deployments.apps "web" can't restart paused deployment (run rollout resume first)`,
      },
      { run: 'rollout resume deployment web', out: 'deployment.apps/web resumed' },
      { run: 'rollout resume deployment web', code: 1, err: 'error: deployments.apps "web" is not paused' },
      { run: 'rollout restart deployment web', out: 'deployment.apps/web restarted' },
      {
        run: 'get deployment web -o jsonpath={.spec.template.metadata.annotations}',
        out: /^\{"kubectl\.kubernetes\.io\/restartedAt":"/,
      },
      {
        run: 'describe deployment web',
        out: [
          /\nStrategyType: +RollingUpdate\n/,
          /\n {2}Available +False +MinimumReplicasUnavailable\n/,
          /\nEvents:\n/,
        ],
        until: true,
      },
    ],
  },
  {
    title: 'daemon set',
    steps: [
      { run: 'create -f -', in: workload('DaemonSet'), out: 'daemonset.apps/web created' },
      { run: 'set image daemonset/web main=nginx:2', out: 'daemonset.apps/web image updated' },
      {
        run: 'rollout history daemonset web',
        out: /^daemonset\.apps\/web \nREVISION {2}CHANGE-CAUSE\n(1 +<none>\n)?2? /,
        until: true,
      },
      { run: 'rollout restart daemonset web', out: 'daemonset.apps/web restarted' },
      { run: 'rollout status daemonset web', out: /daemon set "web" successfully rolled out\n$/, until: true },
      { run: 'get daemonset web --no-headers', out: /^web +0 +0 +0 +0 +0 +<none> +\d+s\n$/ },
    ],
  },
  {
    title: 'stateful set',
    steps: [
      { run: 'create -f -', in: workload('StatefulSet', '  serviceName: web\n'), out: 'statefulset.apps/web created' },
      { run: 'get pods -o name', out: 'pod/web-0', until: true },
      { run: 'get statefulset web --no-headers', out: /^web +0\/1 +\d+s\n$/, until: true },
      {
        run: 'rollout status statefulset web --watch=false',
        out: /^Waiting for 1 pods to be ready\.\.\.\n$/,
        until: true,
      },
      {
        run: 'rollout history statefulset web',
        out: /^statefulset\.apps\/web \nREVISION {2}CHANGE-CAUSE\n1 +<none>\n/,
        until: true,
      },
      { run: 'rollout restart statefulset web', out: 'statefulset.apps/web restarted' },
      { run: 'rollout undo statefulset web', out: 'statefulset.apps/web rolled back', until: true },
    ],
  },
])
