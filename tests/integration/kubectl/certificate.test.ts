// kubectl certificate: requests that are approved until there is a certificate that opens the door, and requests that are denied.
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import { kubectlScenarios } from '../../harness/kubectl-scenarios.ts'

const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
const request = await x509.Pkcs10CertificateRequestGenerator.create({
  name: [{ CN: ['ada'] }, { O: ['painters'] }],
  keys,
  signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
})
const pem = Buffer.from(request.toString('pem')).toString('base64')

const csr = (name: string, extra = ''): string => `
apiVersion: certificates.k8s.io/v1
kind: CertificateSigningRequest
metadata: {name: ${name}}
spec:
  request: ${pem}
  signerName: kubernetes.io/kube-apiserver-client
  usages: [client auth]
${extra}`

kubectlScenarios([
  {
    title: 'approval',
    steps: [
      { run: 'create -f -', in: csr('$NS'), out: 'certificatesigningrequest.certificates.k8s.io/$NS created' },
      {
        run: 'get csr $NS --no-headers',
        out: /^\S+ +\d+s +kubernetes\.io\/kube-apiserver-client +orrery-admin +<none> +Pending\n$/,
      },
      { run: 'certificate approve $NS', out: 'certificatesigningrequest.certificates.k8s.io/$NS approved' },
      {
        run: 'get csr $NS -o jsonpath={.status.conditions[*].type}:{.status.conditions[*].reason}',
        out: 'Approved:KubectlApprove',
      },
      { run: 'get csr $NS --no-headers', out: / +Approved,Issued\n$/, until: true },
      { run: 'get csr $NS -o jsonpath={.status.certificate}', out: /^LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t/ },
      {
        run: 'describe csr $NS',
        out: [/\nStatus: +Approved,Issued\n/, /Common Name: +ada\n/, /Organization: +painters\n/],
      },
      {
        run: 'certificate deny $NS',
        code: 1,
        err: 'error: certificate signing request "$NS" is already Approved',
      },
      { run: 'delete csr $NS', out: /deleted/ },
      { run: 'create -f -', in: csr('$NS'), out: /created/ },
      { run: 'certificate approve -f -', in: csr('$NS'), out: /approved/ },
      { run: 'delete -f -', in: csr('$NS'), out: /deleted/ },
    ],
  },
  {
    title: 'denial',
    steps: [
      { run: 'create -f -', in: csr('$NS', '  expirationSeconds: 3600\n'), out: /created/ },
      { run: 'certificate deny $NS', out: 'certificatesigningrequest.certificates.k8s.io/$NS denied' },
      { run: 'get csr $NS --no-headers', out: / +60m +Denied\n$/ },
      { run: 'certificate approve $NS', code: 1, err: 'error: certificate signing request "$NS" is already Denied' },
      {
        run: 'certificate deny none',
        code: 1,
        err: /certificatesigningrequests\.certificates\.k8s\.io "none" not found\n$/,
      },
      { run: 'delete csr $NS', out: /deleted/ },
      {
        run: 'create -f -',
        in: csr('$NS-bad').replace('client auth', 'server auth'),
        out: /created/,
      },
      { run: 'certificate approve $NS-bad' },
      { run: 'get csr $NS-bad --no-headers', out: / +Approved,Failed\n$/, until: true },
      {
        run: 'create -f -',
        in: csr('$NS-none').replace(pem, 'bm90aGluZw=='),
        code: 1,
        err: /^The CertificateSigningRequest "\S+" is invalid: (\* )?spec\.request: Invalid value: /,
      },
      { run: 'delete csr $NS-bad' },
    ],
  },
])
