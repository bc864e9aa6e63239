import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { problemsOf } from './dockerfile.ts'

const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8')

test('the Dockerfile takes pinned bases alone, asks for no shell, and ends as an ordinary user with Node as first process', () => {
  assert.deepEqual(problemsOf(dockerfile), [])
})

test('each mistake in it would be named', () => {
  const planted: readonly [from: string | RegExp, to: string, problem: RegExp][] = [
    [/FROM .* AS runtime/, 'FROM docker.io/library/node:24 AS runtime', /node:24 is no base/],
    ['ARG RUNTIME_BASE', 'ARG RUNTIME_BASE=node:latest', /node:latest is a base that nobody pinned/],
    ['RUN ["/usr/local/bin/node", "/warm-up.mjs"]', 'RUN node /warm-up.mjs', /RUN node \/warm-up\.mjs asks for a shell/],
    ['CMD ["main.ts"]', 'CMD main.ts', /CMD main\.ts asks for a shell/],
    ['ENTRYPOINT ["/usr/local/bin/node"]', 'ENTRYPOINT ["/bin/sh", "-c"]', /first process .* is not Node/],
    [/USER 65532:65532(?=\n# Above)/, 'USER 1000', /above 10000/],
    ['COPY . .', 'ADD https://example.com/node.tar.gz .', /brings what nobody pinned/],
  ]
  for (const [from, to, problem] of planted) {
    const changed = dockerfile.replace(from, to)
    assert.notEqual(changed, dockerfile, String(from))
    assert.match(problemsOf(changed).join('\n'), problem)
  }
})
