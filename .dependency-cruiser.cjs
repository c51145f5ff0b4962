// Imports point inwards only. Each rule says which layer may not look where, and why.
/** @type {import('dependency-cruiser').IConfiguration} */
const tests = '\\.test\\.ts$|-contract\\.ts$|/testing/|^tests/'
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle means two concepts that are one, or one that is two.',
      severity: 'error',
      from: {},
      to: { circular: true, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'common-is-pure',
      comment: 'common runs in the window, the engine and the guest alike.',
      severity: 'error',
      from: { path: '^common/', pathNot: tests },
      to: { pathNot: '^common/|^node_modules/(rfc6902|yaml|reflect-metadata|re2js)/' },
    },
    {
      name: 'common-no-node',
      severity: 'error',
      from: { path: '^common/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'renderer-only-common',
      comment: 'The window reaches the engine through the API alone.',
      severity: 'error',
      from: { path: '^renderer/' },
      to: { path: '^(main|vm-images|scripts)/' },
    },
    {
      name: 'renderer-one-door',
      comment: 'Only renderer/api touches the API client.',
      severity: 'error',
      from: { path: '^renderer/(?!api/|stores/)', pathNot: tests },
      to: { path: '^common/client/(fetch-transport|http)' },
    },
    {
      name: 'controllers-through-the-door',
      comment: 'Controllers and scheduler are clients like any other.',
      severity: 'error',
      from: { path: '^main/(controllers|scheduler|lab)/', pathNot: tests },
      to: { path: '^main/(store|kinds)/|^main/apiserver/(?!apiserver\\.ts)' },
    },
    {
      name: 'kinds-are-pure',
      severity: 'error',
      from: { path: '^main/kinds/', pathNot: tests },
      to: { pathNot: '^(main/kinds|common)/|^node_modules/|^(net|crypto)$' },
    },
    {
      name: 'kinds-no-io',
      severity: 'error',
      comment: 'net only for its pure isIP, crypto only to verify signatures.',
      from: { path: '^main/kinds/', pathNot: tests },
      to: { dependencyTypes: ['core'], pathNot: '^(net|crypto)$' },
    },
    {
      name: 'store-knows-no-kinds',
      severity: 'error',
      from: { path: '^main/store/', pathNot: tests },
      to: { path: '^main/(?!store/)|^common/api' },
    },
    {
      name: 'agent-stands-alone',
      comment: 'The node agent shares common and the HTTP/2 client, nothing of the engine.',
      severity: 'error',
      from: { path: '^vm-images/node-agent/', pathNot: tests },
      to: { path: '^main/(?!client/)|^renderer/|^scripts/' },
    },
    {
      name: 'electron-in-one-place',
      severity: 'error',
      from: { pathNot: '^main/electron/' },
      to: { path: '^node_modules/electron/' },
    },
    {
      name: 'nobody-imports-faces',
      comment: 'Command, shell and scripts are entry points.',
      severity: 'error',
      from: { pathNot: '^(main/cli|main/electron|scripts|tests)/' },
      to: { path: '^(main/cli|main/electron)/' },
    },
    {
      name: 'no-dev-dependencies-at-run-time',
      severity: 'error',
      from: { path: '^(common|main|vm-images)/', pathNot: `${tests}|/bundle\\.ts$` },
      to: { dependencyTypes: ['npm-dev'], pathNot: '^node_modules/(@types|electron)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.vue', '.js', '.mjs', '.json'] },
  },
}
