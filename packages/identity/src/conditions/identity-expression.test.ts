import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConditionInvalid } from './condition-invalid.ts'
import { compileIdentityCondition, compileIdentityText, type SeenIdentity } from './identity-expression.ts'

const ada: SeenIdentity = {
  issuer: 'https://idp.corp.example',
  subject: '17',
  email: 'ada@corp.example',
  name: 'Ada Lovelace',
  groups: ['platform', 'everybody'],
  roles: [],
  claims: new Map([
    ['department', 'engines'],
    ['tid', 't1'],
  ]),
}

test('a mapping decides over what a provider says', () => {
  const holding: [string, boolean][] = [
    ['"platform" in identity.groups', true],
    ['"billing" in identity.groups || "admin" in identity.roles', false],
    ['identity.claims.department == "engines" && identity.email.endsWith("@corp.example")', true],
    ['identity.claims["tid"] in ["t1", "t2"]', true],
    ['has(identity.claims.cost_centre)', false],
    ['identity.claims.missing == "x"', false],
  ]
  for (const [text, expected] of holding) assert.equal(compileIdentityCondition(text)(ada), expected, text)
})

test('a text is made of what a provider says, or is none', () => {
  assert.equal(compileIdentityText('identity.name')(ada), 'Ada Lovelace')
  assert.equal(compileIdentityText('has(identity.claims.nick) ? identity.claims.nick : identity.name')(ada), 'Ada Lovelace')
  assert.equal(compileIdentityText('identity.claims.nick')(ada), undefined)
})

test('what can be known to be wrong is told to whoever writes it', () => {
  assert.throws(() => compileIdentityCondition('identity.groups'), ConditionInvalid)
  assert.throws(() => compileIdentityText('"a" in identity.groups'), ConditionInvalid)
  assert.throws(() => compileIdentityCondition('principal.id == "1"'), /there is no principal/)
  assert.throws(() => compileIdentityCondition('identity.groups.exists(g, g == "x")'), ConditionInvalid)
})
