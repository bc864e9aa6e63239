// `npm run node -- deploy/check/src/main.ts [FOLDER]`: checks the rendered overlays of a folder, an own one as well as ours.
import { fileURLToPath } from 'node:url'
import { check } from './check.ts'
import { readHouses } from './manifests.ts'

const [folder = fileURLToPath(new URL('../../kubernetes/rendered', import.meta.url))] = process.argv.slice(2)
const houses = await readHouses(folder)
const findings = (await Promise.all(houses.map((house) => check(house)))).flat()
for (const { rule, house, where, says } of findings) process.stdout.write(`${house}: ${where}: ${says} [${rule}]\n`)
process.stdout.write(
  `${houses.length} overlays, ${houses.flatMap(({ manifests }) => manifests).length} manifests, ${findings.length} findings\n`,
)
process.exitCode = findings.length > 0 || houses.length === 0 ? 1 : 0
