import assert from 'node:assert/strict'
import { test } from 'node:test'
import { migrate } from '@gatehouse/postgres'
import { migrationsOf } from '@gatehouse/service'
import { testDatabase, workloadKeys } from '@gatehouse/testkit'
import { createApp } from '../src/app.ts'
import { migrations } from '../src/store/migrations/index.ts'
import { configOf } from './open-story.ts'
import { until } from './until.ts'

test('the service waits for its schema, can be stopped meanwhile, and is ready without broker, peers and mail server', async () => {
  await using parts = new AsyncDisposableStack()
  const keys = parts.use(await workloadKeys(['notification']))
  const database = parts.use(await testDatabase({ service: 'notification', sets: [] }))
  const config = configOf({ DATABASE_URL: database.url, WORKLOAD_KEY_FILE: keys.fileOf('notification'), WORKLOAD_JWKS_FILE: keys.jwksFile })
  const stop = new AbortController()
  const stopped = createApp(config, stop.signal)
  stop.abort()
  await assert.rejects(stopped)

  const started = createApp(config)
  await migrate({ url: database.url, schema: 'gatehouse_notification', sets: migrationsOf(migrations) })
  await using app = await started
  const health = (path: string) => fetch(`http://127.0.0.1:${app.ports.metrics}/${path}`)
  await until('ready', async () => (await health('readyz')).ok)
  const metrics = await (await health('metrics')).text()
  for (const name of [
    'gatehouse_mail_due',
    'gatehouse_mail_oldest',
    'gatehouse_clock_offset',
    'gatehouse_revocations_connected',
    'gatehouse_limits_connected',
  ])
    assert.ok(metrics.includes(name), name)
})
