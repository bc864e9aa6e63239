import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { pnpm } from './pnpm.mjs'
import { packageOf } from './workspace.mjs'

/**
 * Writes the bill of materials of an image (CycloneDX): what pnpm has installed for production, and Node. The pages of the console are made of its
 * dependencies, though none of them is installed. What the base brings is in the base's own.
 */
export async function billOf(service, file) {
  const names = service === 'console' ? [packageOf(service), '@gatehouse/console'] : [packageOf(service)]
  const filters = names.flatMap((name) => ['--filter', name])
  const format = ['--sbom-format', 'cyclonedx', '--sbom-spec-version', '1.6', '--sbom-type', 'application']
  await pnpm('sbom', '--prod', ...format, ...(service === 'console' ? ['--lockfile-only'] : []), ...filters, '--out', file)
  const bill = JSON.parse(readFileSync(file, 'utf8'))
  const version = process.versions.node
  const node = { type: 'platform', name: 'node', version, purl: `pkg:generic/node@${version}`, 'bom-ref': `pkg:generic/node@${version}` }
  const components = [...bill.components, { ...node, cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` }]
  components.sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1))
  const { timestamp: _, ...metadata } = bill.metadata
  // The same materials make the same bill: its number follows from them, and it has no time.
  const hash = createHash('sha256').update(JSON.stringify(components)).digest('hex')
  const serialNumber = `urn:uuid:${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`
  writeFileSync(file, `${JSON.stringify({ ...bill, serialNumber, metadata, components }, undefined, 1)}\n`)
}
