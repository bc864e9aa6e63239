import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { check, ofCommitted } from '../src/check.ts'
import { type House, readHouses } from '../src/manifests.ts'
import { Editable } from './mistake.ts'
import { mistakesAtTheGateway } from './mistakes-at-the-gateway.ts'
import { mistakesBetween } from './mistakes-between.ts'
import { mistakesInPods } from './mistakes-in-pods.ts'
import { mistakesInReplicas } from './mistakes-in-replicas.ts'
import { mistakesInSettings } from './mistakes-in-settings.ts'

const mistakes = [...mistakesInPods, ...mistakesInSettings, ...mistakesBetween, ...mistakesAtTheGateway, ...mistakesInReplicas]

let houses: readonly House[]
before(async () => {
  houses = await readHouses(fileURLToPath(new URL('../../kubernetes/rendered', import.meta.url)))
})

test('the overlays as they are committed are in order', async () => {
  assert.ok(houses.length >= 4 && houses.every(({ manifests }) => manifests.length > 20), 'there is something to check')
  const findings = (await Promise.all(houses.map((house) => check(house)))).flat()
  assert.deepEqual(
    findings.map(({ rule, house, where, says }) => `${house}: ${where}: ${says} [${rule}]`),
    [],
  )
})

for (const { name, rule, says, house: wanted = 'production', plant } of mistakes)
  test(`finds ${name}`, async () => {
    const house = houses.find((each) => each.name === wanted)
    assert.ok(house)
    const spoilt = new Editable(house)
    plant(spoilt)
    const findings = await check(spoilt.house, [rule])
    assert.ok(
      findings.some((finding) => says.test(`${finding.where}: ${finding.says}`)),
      `${rule} says: ${findings.map((finding) => `${finding.where}: ${finding.says}`).join('; ') || 'nothing'}`,
    )
  })

test('a manifest that lacks what all of its kind have keeps no other mistake from being found', async () => {
  const house = houses.find(({ name }) => name === 'production')
  assert.ok(house)
  const spoilt = new Editable(house)
  spoilt.set('Service', 'auth', 'spec.ports', undefined)
  spoilt.set('Deployment', 'auth', 'spec.strategy', { type: 'Recreate' })
  const found = (await check(spoilt.house)).map(({ rule, where, says }) => `${where}: ${says} [${rule}]`)
  assert.ok(
    found.some((each) => each.endsWith('[rollout]')),
    found.join('; '),
  )
  assert.ok(
    found.some((each) => /was not looked at to the end.*\[selectors\]$/.test(each)),
    found.join('; '),
  )
})

test('every rule has a mistake that it finds', () => {
  assert.deepEqual(
    ofCommitted.filter((rule) => !mistakes.some((mistake) => mistake.rule === rule)),
    [],
  )
})
