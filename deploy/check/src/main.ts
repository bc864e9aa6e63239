// `npm run node -- deploy/check/src/main.ts [FOLDER]`: checks the overlays as they are committed here; a folder that is named is one that somebody means to apply.
import { fileURLToPath } from 'node:url'
import { check, ofCommitted, ofOnesOwn } from './check.ts'
import { readHouses } from './manifests.ts'

const [own] = process.argv.slice(2)
const folder = own ?? fileURLToPath(new URL('../../kubernetes/rendered', import.meta.url))
const houses = await readHouses(folder).catch((error: Error) => {
  process.stdout.write(`${folder} cannot be read. ${error.message}\n`)
  return []
})
const findings = (await Promise.all(houses.map((house) => check(house, own === undefined ? ofCommitted : ofOnesOwn)))).flat()
for (const { rule, house, where, says } of findings) process.stdout.write(`${house}: ${where}: ${says} [${rule}]\n`)
process.stdout.write(
  `${houses.length} overlays, ${houses.flatMap(({ manifests }) => manifests).length} manifests, ${findings.length} findings\n`,
)
process.exitCode = findings.length > 0 || houses.length === 0 ? 1 : 0
