import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib'
import { create, toBinary } from '@bufbuild/protobuf'
import { ErrorInfoSchema } from '@gatehouse/contracts/google/rpc/error_details_pb'
import { pageHeaders } from './page-headers.ts'
import { type ConsoleServer, serveConsole } from './serve-console.ts'

const html = '<!doctype html><title>Gatehouse</title>'
const script = 'globalThis.started = true\n'.repeat(100)
let folder: string
let server: ConsoleServer

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-console-'))
  await mkdir(join(folder, 'dist', 'assets'), { recursive: true })
  const files = {
    'dist/index.html': html,
    'dist/assets/index-1a2b.js': script,
    'dist/assets/index-1a2b.js.br': brotliCompressSync(script),
    'dist/assets/index-1a2b.js.gz': gzipSync(script),
    'dist/.built-from': 'a hash',
    'openapi.json': '{"openapi":"3.1.0"}',
    'secret.js': 'outside',
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
  const config = { listenHost: '127.0.0.1', webPort: 0, metricsPort: 0, pages: join(folder, 'dist'), openapi: join(folder, 'openapi.json') }
  server = await serveConsole(config)
})
after(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

interface Answer {
  readonly status: number | undefined
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Buffer
}

// Neither a fetch nor a browser sends a path as it stands, or leaves a body compressed.
function ask(path: string, { method = 'GET', headers = {}, port = server.ports.web } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers, agent: false }, async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(chunks) })
    })
      .on('error', reject)
      .end()
  })
}

test('every address of the console is its page, with the headers of pages, asked for anew each time', async () => {
  for (const path of ['/', '/account/sessions?tab=2', '/index.html', '/%E0%A4%A']) {
    const { status, headers, body } = await ask(path)
    assert.deepEqual([status, headers['content-type'], headers['cache-control']], [200, 'text/html; charset=utf-8', 'no-cache'], path)
    assert.equal(body.toString(), html)
    for (const [name, value] of Object.entries(pageHeaders)) assert.equal(headers[name], value)
  }
})

test('assets are kept for ever, and come in the smallest encoding that is taken', async () => {
  const inEncoding = (encoding?: string) => ask('/assets/index-1a2b.js', { headers: encoding ? { 'accept-encoding': encoding } : {} })
  const [plain, gzip, br, refused] = await Promise.all(
    [undefined, 'gzip, deflate', 'gzip, deflate, br, zstd', 'br;q=0, gzip;q=0.5'].map(inEncoding),
  )
  assert.equal(plain?.headers['content-encoding'], undefined)
  assert.equal(plain?.body.toString(), script)
  assert.equal(gzip?.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(gzip?.body ?? '').toString(), script)
  assert.equal(br?.headers['content-encoding'], 'br')
  assert.equal(brotliDecompressSync(br?.body ?? '').toString(), script)
  assert.equal(refused?.headers['content-encoding'], 'gzip')
  for (const each of [plain, gzip, br]) {
    assert.equal(each?.headers['cache-control'], 'public, max-age=31536000, immutable')
    assert.equal(each?.headers.vary, 'accept-encoding')
  }
})

test('whoever holds a page is told that it is still good, in its own encoding only', async () => {
  const { headers } = await ask('/assets/index-1a2b.js', { headers: { 'accept-encoding': 'br' } })
  const tag = String(headers.etag)
  const again = (accept: string, etag: string) =>
    ask('/assets/index-1a2b.js', { headers: { 'accept-encoding': accept, 'if-none-match': etag } })
  assert.deepEqual([(await again('br', tag)).status, (await again('br', tag)).body.length], [304, 0])
  assert.equal((await again('br', `"other", W/${tag}`)).status, 304)
  assert.equal((await again('gzip', tag)).status, 200)
})

test('HEAD has the length and no body; other methods are refused', async () => {
  const head = await ask('/', { method: 'HEAD' })
  assert.deepEqual([head.status, Number(head.headers['content-length']), head.body.length], [200, html.length, 0])
  const post = await ask('/', { method: 'POST' })
  assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD'])
})

test('a file that is not there is no page, and nothing outside of the folder or hidden in it is served', async () => {
  for (const path of ['/assets/index-old.js', '/../secret.js', '/%2e%2e/secret.js', '/assets/..%2f..%2fsecret.js'])
    assert.equal((await ask(path)).status, 404, path)
  assert.equal((await ask('/assets/index-1a2b.js.br')).status, 404)
  // Without an ending it could be an address of the console, and is answered as one.
  assert.equal((await ask('/.built-from')).body.toString(), html)
})

test("the REST door's document is at /openapi.json", async () => {
  const { status, headers, body } = await ask('/openapi.json')
  assert.deepEqual([status, headers['content-type'], body.toString()], [200, 'application/json', '{"openapi":"3.1.0"}'])
})

test('what a gateway should have brought to a service is refused as the services would', async () => {
  for (const path of ['/api/users', '/gatehouse.user.v1.UserService/GetUser', '/oidc/token', '/.well-known/jwks.json']) {
    const { status, body } = await ask(path, { method: 'POST' })
    assert.equal(status, 404, path)
    const { code, details } = JSON.parse(body.toString())
    const info = create(ErrorInfoSchema, { reason: 'NOT_SERVED', domain: 'gatehouse' })
    assert.equal(code, 'unimplemented')
    assert.equal(details[0].value, Buffer.from(toBinary(ErrorInfoSchema, info)).toString('base64').replace(/=+$/, ''))
  }
})

test('it says that it lives, is ready, and what it answered, on a port of its own', async () => {
  const inside = (path: string) => ask(path, { port: server.ports.metrics })
  assert.deepEqual([(await inside('/healthz')).status, (await inside('/readyz')).status, (await inside('/')).status], [200, 200, 404])
  await ask('/')
  assert.match((await inside('/metrics')).body.toString(), /^gatehouse_console_answers_total\{http_response_status_code="200"\} [1-9]/m)
})

test('a folder without a console is refused in a sentence', async () => {
  const config = {
    listenHost: '127.0.0.1',
    webPort: 0,
    metricsPort: 0,
    pages: join(folder, 'dist/assets'),
    openapi: join(folder, 'openapi.json'),
  }
  await assert.rejects(serveConsole(config), /there is no index\.html in .*: build the console first/)
})
