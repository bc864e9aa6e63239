type Files = Readonly<Record<string, string>>

/** A small house in which every import is right. */
export const allowed: Files = {
  'services/user/src/main.ts': `import './app.ts'\nimport './config.ts'`,
  'services/user/src/config.ts': 'export {}',
  'services/user/src/app.ts': `import './rpc/user-service.ts'\nimport './consumers/on-signed-in.ts'\nimport './workers/relay.ts'\nimport './store/users.ts'\nimport '../../../packages/rpc/src/index.ts'`,
  'services/user/src/rpc/user-service.ts': `import '../core/create-user.ts'\nimport './to-proto.ts'`,
  'services/user/src/rpc/to-proto.ts': `import type { User } from '../store/users.ts'\nexport type Row = User`,
  'services/user/src/consumers/on-signed-in.ts': `import '../core/create-user.ts'`,
  'services/user/src/workers/relay.ts': `import '../core/create-user.ts'\nimport '../store/users.ts'`,
  'services/user/src/core/create-user.ts': `import '../store/users.ts'\nimport '../../../../packages/rpc/src/index.ts'`,
  'services/user/src/core/create-user.test.ts': `import './create-user.ts'\nimport '../../../../packages/testkit/src/index.ts'`,
  'services/user/src/store/users.ts': 'export type User = { id: string }\nawait using _pool = { async [Symbol.asyncDispose]() {} }',
  'services/user/test/story.ts': `import '../src/app.ts'\nimport '../../../packages/testkit/src/index.ts'`,
  'services/auth/src/app.ts': 'export {}',
  'services/notification/src/core/send.ts': 'export {}',
  'packages/contracts/src/user_pb.ts': 'export {}',
  'packages/rpc/src/index.ts': `import '../../contracts/src/user_pb.ts'`,
  'packages/rpc/src/here.ts': 'export {}',
  'packages/rpc/src/there.ts': `import './here.ts'`,
  'packages/postgres/src/index.ts': 'export {}',
  'packages/testkit/src/index.ts': `import '../../../services/user/src/app.ts'`,
  'packages/web/src/index.ts': `import '../../contracts/src/user_pb.ts'`,
  'packages/console/src/app.tsx': `import '../../web/src/index.ts'\nexport const page = <p>hello</p>`,
  'packages/client/src/index.ts': `import '../../rpc/src/index.ts'`,
  'deploy/local/src/main.ts': `import '../../../packages/testkit/src/index.ts'`,
}

/** For each rule, files that break it. They use every form of import that could slip through. */
export const planted: Readonly<Record<string, Files>> = {
  'main-is-imported-by-nothing': { 'deploy/local/src/start.ts': `await import('../../../services/user/src/main.ts')` },
  'main-starts-the-app-only': {
    'services/notification/src/main.ts': `import './core/send.ts'`,
  },
  'nothing-reaches-up-to-the-app': {
    'services/user/src/rpc/up.ts': `import '../app.ts'`,
    'services/user/src/core/up.ts': `import type {} from '../config.ts'`,
    'services/user/src/store/up.ts': `export * from '../config.ts'`,
  },
  'core-knows-no-door': {
    'services/user/src/core/to-rpc.ts': `import '../rpc/user-service.ts'`,
    'services/user/src/core/to-consumer.ts': `import '../consumers/on-signed-in.ts'`,
    'services/user/src/core/to-worker.ts': `import '../workers/relay.ts'`,
  },
  'store-knows-nothing-above-it': {
    'services/user/src/store/to-core.ts': `import '../core/create-user.ts'`,
    'services/user/src/store/to-rpc.ts': `import type { Row } from '../rpc/to-proto.ts'\nexport type Mine = Row`,
  },
  'rpc-does-not-skip-core': {
    'services/user/src/rpc/to-store.ts': `export { type User } from '../store/users.ts'\nimport '../store/users.ts'`,
  },
  'oidc-does-not-skip-core': { 'services/user/src/oidc/to-store.ts': `import '../store/users.ts'` },
  'doors-do-not-know-each-other': { 'services/user/src/rpc/to-worker.ts': `import '../workers/relay.ts'` },
  'services-meet-over-the-wire-only': {
    'services/auth/src/core/ask-user.ts': `import '../../../user/src/core/create-user.ts'`,
    'services/auth/test/ask-user.test.ts': `import '../../user/src/app.ts'`,
  },
  'packages-know-no-service': { 'packages/rpc/src/to-service.ts': `import '../../../services/user/src/app.ts'` },
  'testkit-bench-and-chaos-are-for-development': {
    'packages/rpc/src/to-testkit.ts': `import '../../testkit/src/index.ts'`,
    'services/user/src/core/to-testkit.ts': `import '../../../../packages/testkit/src/index.ts'`,
  },
  'web-knows-contracts-only': { 'packages/web/src/to-rpc.ts': `import '../../rpc/src/index.ts'` },
  'console-is-built-like-anyones-app': { 'packages/console/src/to-rpc.tsx': `import '../../rpc/src/index.ts'` },
  'browsers-have-no-node': { 'packages/web/src/to-node.ts': `import 'node:fs'` },
  'client-knows-what-it-may': { 'packages/client/src/to-postgres.ts': `import '../../postgres/src/index.ts'` },
  'contracts-stand-alone': { 'packages/contracts/src/to-rpc.ts': `import '../../rpc/src/index.ts'` },
  'no-cycles': { 'packages/rpc/src/here.ts': `import './there.ts'` },
  'every-import-resolves': { 'packages/rpc/src/to-nowhere.ts': `import '@gatehouse/nowhere'` },
}
