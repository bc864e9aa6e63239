import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { alertRules } from './alert-rules.ts'
import { cases } from './promtool-tests.ts'
import { writtenFiles } from './written.ts'

const textOf = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')

test('objectives and dashboards are committed as they would be written: npm run dashboards', () => {
  for (const [path, text] of Object.entries(writtenFiles())) assert.ok(textOf(`../${path}`) === text, `${path} is not what src/ says`)
})

test('every alert has its page, which says what to do, and every page its alert', () => {
  const page = textOf('../../../docs/operations.md')
  const section = page.slice(page.indexOf('### By alert'), page.indexOf('### By metric'))
  const pages = section.split(/^#### /m).slice(1)
  const names = alertRules().map(({ alert }) => alert)
  assert.deepEqual(pages.map((each) => each.split('\n')[0]).sort(), names.toSorted())
  for (const each of pages) assert.ok(each.split('\n').slice(1).join('').trim().length > 40, each)
  for (const { alert, labels, annotations, ...rule } of alertRules()) {
    assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`)
    assert.match(labels.severity, /^(page|ticket)$/)
    assert.match(rule.for, /^\d+[smh]$/)
    assert.ok(annotations.summary.length > 10)
  }
})

test('every alert is shown to fire and to be silent', () => {
  assert.deepEqual(
    Object.keys(cases).sort(),
    alertRules()
      .map(({ alert }) => alert)
      .sort(),
  )
})
