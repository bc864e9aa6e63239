import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { parseTime } from './parse-time.ts'

const byDriver = pg.types.getTypeParser(1184) as (text: string) => unknown

for (const text of [
  '2026-11-27 13:12:17+00',
  '2026-11-27 13:12:17.1+00',
  '2026-11-27 13:12:17.123+00',
  '2026-11-27 13:12:17.999999+00',
  '2024-02-29 23:59:59.000001+00',
  '1969-12-31 23:59:59.5+00',
  '2026-11-27 13:12:17.25+05:30',
  '2026-11-27 13:12:17-03',
  '0099-01-01 00:00:00+00',
  '10000-01-01 00:00:00+00',
  '0044-03-15 12:00:00+00 BC',
  'infinity',
]) {
  test(`reads ${text} as the driver does`, () => assert.deepEqual(parseTime(text), byDriver(text)))
}
