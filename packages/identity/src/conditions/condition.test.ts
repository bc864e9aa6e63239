import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkCondition } from './check-condition.ts'
import { compileCondition, conditionPrincipal } from './condition.ts'
import { ConditionInvalid } from './condition-invalid.ts'

const now = Date.parse('2026-03-04T10:30:00Z')
const ada = '0190a0de-0000-7000-8000-00000000000a'

function outcomeOf(text: string, resource?: { name: string; owner: string; attributes?: ReadonlyMap<string, string> }) {
  return compileCondition(text)({ principal: conditionPrincipal(ada, ['g1', 'g2']), resource, permission: 'user.users.read', now })
}

/** Where and what, of a condition that is refused. */
function refusalOf(text: string): string {
  try {
    checkCondition(text)
  } catch (error) {
    assert.ok(error instanceof ConditionInvalid, String(error))
    return `${error.position}: ${error.problem}`
  }
  assert.fail(`${text.slice(0, 100)} was accepted`)
}

const own = { name: 'document/7', owner: ada, attributes: new Map([['state', 'draft']]) }

test('what a condition may say holds or not', () => {
  const holding: [string, boolean][] = [
    ['resource.owner == principal.id', true],
    ['resource.owner == principal.id && request.time < timestamp("2026-03-04T10:30:01Z")', true],
    ['resource.owner == principal.id && request.time < timestamp("2026-03-04T10:30:00Z")', false],
    ['request.time - timestamp("2026-03-04T10:00:00Z") <= duration("30m")', true],
    ['request.time.getHours() >= 8 && request.time.getHours() < 18', true],
    ['request.time.getHours("America/New_York") < 8', true],
    ['request.time.getDayOfWeek() == 0 ? false : true', true],
    ['!!!false && -(-(1)) == 1', true],
    ['"g2" in principal.groups', true],
    ['"g3" in principal.groups', false],
    ['resource.type == "document" && resource.id == "7"', true],
    ['resource.attributes.state == "draft"', true],
    ['resource.attributes["state"] in ["draft", "open"]', true],
    ['has(resource.attributes.state) && !has(resource.attributes.lock)', true],
    ['request.permission.startsWith("user.") && !request.permission.endsWith(".delete")', true],
    ['size(principal.groups) == 2 && principal.id.size() == 36', true],
    ['resource.attributes.missing == "x" || true', true],
    ['false', false],
  ]
  for (const [text, expected] of holding) assert.equal(outcomeOf(text, own), expected, text)
})

test('what cannot be evaluated counts as no, and says why', () => {
  const missing = outcomeOf('resource.attributes.missing == "x"', own)
  assert.match(JSON.stringify(missing), /missing/)
  assert.match(JSON.stringify(outcomeOf('resource.owner == principal.id')), /none was named/)
  assert.match(JSON.stringify(outcomeOf('9223372036854775807 + size(principal.id) > 0')), /overflow/)
  assert.match(JSON.stringify(outcomeOf('principal.groups[9] == "x"')), /bounds|found/)
})

test('keys of attributes reach nothing but attributes', () => {
  for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    assert.equal(typeof outcomeOf(`resource.attributes["${key}"] == "x"`, own), 'object', key)
  assert.equal(outcomeOf('has(resource.attributes.constructor)', own), false)
  assert.equal(outcomeOf('"__proto__" in resource.attributes', own), false)
})

test('what is wrong is told with its place', () => {
  const refused: [string, RegExp][] = [
    ['', /^1: it ends too early/],
    ['resource.owner ==', /^\d+: /],
    ['resource.owner == principal.id $', /^32: \$ does not fit here/],
    ['resource.owner == principal.name', /^28: principal has no name: it has id, groups/],
    ['resource.ownr == principal.id', /^9: resource has no ownr/],
    ['user.id == "x"', /^1: there is no user: there are principal, resource, request/],
    ['__proto__.id == "x"', /there is no __proto__/],
    ['constructor', /there is no constructor/],
    ['principal == principal', /principal is not a value/],
    ['resource.owner', /^9: a condition is true or false, and this is a text/],
    ['principal.id == 7', /== does not take a text and a number/],
    ['principal.id < request.time', /< does not take a text and a timestamp/],
    ['!principal.id', /! does not take a text/],
    ['principal.groups == "x"', /== does not take a list and a text/],
    ['"x" in principal.id', /in does not take a text and a text/],
    ['true && 1', /&& does not take/],
    ['true ? 1 : "x"', /both sides/],
    ['principal.id ? true : false', /has to be true or false/],
    ['principal.id.id == "x"', /a text has no fields/],
    ['resource.attributes.a.b == "x"', /a text has no fields/],
    ['has(principal.id)', /fields|value/],
    ['[1, 2] == [1, 2]', /lists hold texts only/],
    ['{"a": 1} == {"a": 1}', /objects are not known/],
    ['b"x" == b"x"', /literals of this kind/],
    ['1u == 1u', /literals of this kind/],
    ['99999999999999999999 > 1', /too large/],
    ['request.time < timestamp("tomorrow")', /cannot be read/],
    ['request.time < timestamp(principal.id)', /written out/],
    ['request.time.getHours("Mars/Olympus") < 1', /cannot be read/],
    ['request.time.getHours(principal.id) < 1', /written out/],
    ["principal.id == '\\ud800'", /literal that cannot be/],
  ]
  for (const [text, expected] of refused) assert.match(refusalOf(text), expected, text)
})

test('what could cost more than its size is not known: loops, patterns, texts that grow', () => {
  assert.match(refusalOf('principal.groups.exists(g, g == "x")'), /loops/)
  assert.match(refusalOf('principal.groups.all(a, principal.groups.all(b, a == b))'), /loops/)
  assert.match(refusalOf('principal.groups.map(g, g + g).size() > 1'), /loops/)
  assert.match(refusalOf('principal.id.matches("(a+)+$")'), /matches is not known here/)
  assert.match(refusalOf('matches(principal.id, "(a*)*b")'), /matches is not known here/)
  assert.match(refusalOf('principal.id + principal.id == "x"'), /\+ does not take/)
  assert.match(refusalOf('int(principal.id) > 1'), /int is not known here/)
  assert.match(refusalOf('dyn(principal.id) == 1'), /dyn is not known here/)
})

test('a huge or deep condition is refused before it costs anything', { timeout: 20_000 }, () => {
  const hostile = [
    'true'.padEnd(1_001, ' '),
    'x'.repeat(5_000_000),
    `${'('.repeat(400)}true${')'.repeat(400)}`,
    `${'['.repeat(400)}"a"${']'.repeat(400)}`,
    `principal${'.id'.repeat(300)} == "x"`,
    'true'.concat('&&true'.repeat(160)),
    `${'true?'.repeat(90)}true${':true'.repeat(90)}`,
    `${'size('.repeat(20)}principal.id${')'.repeat(20)}`,
    '('.repeat(1_000),
    '"'.repeat(999),
    '\\'.repeat(999),
    '{'.repeat(999),
    'a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[a[1]]]]]]]]]]]]]]]]]]]]]]]]',
  ]
  for (const text of hostile) assert.ok(refusalOf(text), text.slice(0, 40))
})
