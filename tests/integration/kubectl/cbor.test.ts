// kubectl with its client library told to prefer CBOR: generic clients (wait, delete) then speak it.
import { kubectlScenarios } from '../../harness/kubectl-scenarios.ts'

const env = { KUBE_FEATURE_ClientsAllowCBOR: 'true', KUBE_FEATURE_ClientsPreferCBOR: 'true' }

kubectlScenarios([
  {
    title: 'cbor',
    steps: [
      { run: 'create configmap paint --from-literal=colour=blue', out: 'configmap/paint created' },
      {
        run: 'wait -v=8 --for=jsonpath={.data.colour}=blue configmap/paint --timeout=60s',
        env,
        out: 'configmap/paint condition met',
        err: /Content-Type: application\/cbor/,
      },
      {
        run: 'delete -v=8 configmap paint',
        env,
        out: /^configmap "paint" deleted/,
        err: /Content-Type: application\/cbor/,
      },
    ],
  },
])
