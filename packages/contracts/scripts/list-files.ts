import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const sources = 'packages/contracts/src'

/** Writes the list of our own files and services, so that nobody keeps one by hand and forgets a service in it. */
export function listFiles(fresh: string): void {
  const paths = globSync('gatehouse/*/v1/*_pb.ts', { cwd: join(fresh, sources) }).sort()
  const names = paths.map((path) => path.replace(/_pb\.ts$/, '').replaceAll(/[/-]/g, '_'))
  const imports = paths.map((path, at) => `import { file_${names[at]} } from './${path}'`)
  writeFileSync(
    join(fresh, sources, 'files.ts'),
    `// Made by \`pnpm generate\` from proto/gatehouse.
import type { DescFile, DescService } from '@bufbuild/protobuf'
${imports.join('\n')}

/** Every file of proto/gatehouse. */
export const files: readonly DescFile[] = [
${names.map((name) => `  file_${name},\n`).join('')}]

/** Every service of ours. */
export const services: readonly DescService[] = files.flatMap((file) => file.services)
`,
  )
}
