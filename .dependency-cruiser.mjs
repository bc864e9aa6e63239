// The arrow: main -> app -> (rpc | consumers | workers | oidc) -> core -> store, never up, never sideways between services, never past a layer.
const tests = '(\\.test\\.tsx?$|/test/|/testdata/)'
const within = (layers) => `^services/([^/]+)/src/(${layers})`
const doors = 'rpc/|consumers/|workers/|oidc/'
const top = '[^/]+\\.ts$'

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'main-is-imported-by-nothing',
      comment: 'main.ts is a process: importing it starts it.',
      severity: 'error',
      from: {},
      to: { path: '^(services|packages|deploy)/[^/]+/src/main\\.tsx?$' },
    },
    {
      name: 'main-starts-the-app-only',
      comment: 'main.ts knows app.ts and config.ts, nothing below them.',
      severity: 'error',
      from: { path: within('main\\.ts$') },
      to: { path: '^services/$1/src/', pathNot: '^services/$1/src/(app|config)\\.ts$' },
    },
    {
      name: 'nothing-reaches-up-to-the-app',
      comment: 'Doors, core and store are put together by app.ts and know nothing of it.',
      severity: 'error',
      from: { path: within(`${doors}|core/|store/`), pathNot: tests },
      to: { path: `^services/$1/src/${top}` },
    },
    {
      name: 'core-knows-no-door',
      severity: 'error',
      from: { path: within('core/'), pathNot: tests },
      to: { path: `^services/$1/src/(${doors})` },
    },
    {
      name: 'store-knows-nothing-above-it',
      severity: 'error',
      from: { path: within('store/'), pathNot: tests },
      to: { path: `^services/$1/src/(${doors}|core/)` },
    },
    {
      name: 'rpc-does-not-skip-core',
      comment: 'A door takes the caller and the fields out and calls one core function.',
      severity: 'error',
      from: { path: within('rpc/'), pathNot: tests },
      // The shape of a row may pass through core to the message; a type is no call.
      to: { path: '^services/$1/src/store/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'oidc-does-not-skip-core',
      comment: 'The library calls what core does: no statement is written beside it.',
      severity: 'error',
      from: { path: within('oidc/'), pathNot: tests },
      to: { path: '^services/$1/src/store/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'doors-do-not-know-each-other',
      severity: 'error',
      from: { path: `^services/([^/]+)/src/(rpc|consumers|workers|oidc)/`, pathNot: tests },
      to: { path: `^services/$1/src/(${doors})`, pathNot: '^services/$1/src/$2/' },
    },
    {
      name: 'services-meet-over-the-wire-only',
      severity: 'error',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'packages-know-no-service',
      comment: 'The constellation of the testkit boots services, and the generator compiles the mail templates.',
      severity: 'error',
      from: { path: '^packages/', pathNot: '^packages/(testkit/|bench/|chaos/|contracts/scripts/)' },
      to: { path: '^(services|deploy)/' },
    },
    {
      name: 'testkit-bench-and-chaos-are-for-development',
      severity: 'error',
      from: { path: '^(packages|services)/', pathNot: `^packages/(testkit|bench|chaos)/|${tests}` },
      to: { path: '^packages/(testkit|bench|chaos)/' },
    },
    {
      name: 'web-knows-contracts-only',
      severity: 'error',
      from: { path: '^packages/web/', pathNot: tests },
      to: { path: '^(packages|services|deploy)/', pathNot: '^packages/(web|contracts)/' },
    },
    {
      name: 'console-is-built-like-anyones-app',
      severity: 'error',
      from: { path: '^packages/console/', pathNot: tests },
      to: { path: '^(packages|services|deploy)/', pathNot: '^packages/(console|web|contracts)/' },
    },
    {
      name: 'browsers-have-no-node',
      severity: 'error',
      from: { path: '^packages/(web|console)/src/', pathNot: tests },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'client-knows-what-it-may',
      comment: 'What other teams install drags no service, database or set-up along.',
      severity: 'error',
      from: { path: '^packages/client/', pathNot: tests },
      to: { path: '^(packages|services|deploy)/', pathNot: '^packages/(client|contracts|rpc|identity|events|telemetry)/' },
    },
    {
      name: 'contracts-stand-alone',
      severity: 'error',
      from: { path: '^packages/contracts/src/' },
      to: { path: '^(packages|services|deploy)/', pathNot: '^packages/contracts/src/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: { pathNot: '^packages/contracts/src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'every-import-resolves',
      comment: 'What cannot be resolved escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'tsc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage|\\.cache|templates/compiled)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json'],
    },
  },
}
