import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { check, ofCommitted, ofOnesOwn } from '../src/check.ts'
import { type House, readHouses } from '../src/manifests.ts'

const rendered = fileURLToPath(new URL('../../kubernetes/rendered', import.meta.url))
const houseOf = async (name: string): Promise<House> => (await readHouses(rendered)).find((house) => house.name === name) ?? assert.fail()

/** What a platform team writes in place of what stands in our overlay. */
const own: readonly (readonly [RegExp, string])[] = [
  [/sha256:0{64}/g, `sha256:${'5e'.repeat(32)}`],
  [/example\.com/g, 'gatehouse.dev'],
  [/192\.0\.2\.25/g, '10.4.0.25'],
  [/(\{ )\\"keys\\": \[\]/g, '$1\\"keys\\": [{}]'],
]
const filled = ({ name, manifests }: House, values = own): House => ({
  name,
  manifests: JSON.parse(values.reduce((text, [placeholder, value]) => text.replace(placeholder, value), JSON.stringify(manifests))),
})
const left = async (house: House): Promise<readonly string[]> => (await check(house, ['placeholders'])).map(({ says }) => says)

test('what is left to be filled in is told of a folder of your own, each once with its places, and not of what is committed', async () => {
  const production = await houseOf('production')
  const findings = await check(production, ['placeholders'])
  assert.deepEqual(findings.map(({ says }) => says.replace(/0{64}/, '0…')).sort(), [
    'no key of your cluster in cluster-jwks.json: no service would believe another',
    'still 192.0.2.25, where one of your own belongs',
    'still grpc.id.example.com, where one of your own belongs',
    'still id.example.com, where one of your own belongs',
    'still mail.example.com, where one of your own belongs',
    'still sha256:0…, where one of your own belongs',
  ])
  const images = findings.find(({ says }) => says.includes('sha256:'))?.where.split(', ')
  assert.equal(images?.length, 7, images?.join())
  assert.ok(ofOnesOwn.includes('placeholders') && !ofCommitted.includes('placeholders'))
})

test('nothing is left when everything is filled in, and each alone is found when it is forgotten', async () => {
  const production = await houseOf('production')
  assert.deepEqual(await check(filled(production), ofOnesOwn), [])
  for (const forgotten of own) {
    const found = await left(
      filled(
        production,
        own.filter((each) => each !== forgotten),
      ),
    )
    assert.ok(found.length > 0, String(forgotten[0]))
  }
})

test('overlays for one machine may keep them', async () => {
  assert.deepEqual(await left(await houseOf('kind')), [])
})
