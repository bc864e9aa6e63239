import { execFileSync } from 'node:child_process'
import { globSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inside, manifestOf, published, root, sourceOf } from './workspace.ts'

/** Compiles the packages into `folder` as `<package>/src/….js` and `.d.ts`. Imports are as they were written. */
export function compile(folder: string): void {
  const settings = join(folder, 'tsconfig.json')
  const packages = join(root, 'packages')
  const entries = published.flatMap((name) =>
    Object.values(manifestOf(name).exports)
      .filter((target) => target.endsWith('.ts'))
      .flatMap((target) => globSync(join(name, target.replace('*', '**/*')), { cwd: packages })),
  )
  const compilerOptions = {
    noEmit: false,
    incremental: false,
    tsBuildInfoFile: null,
    declaration: true,
    // Whoever bundles for old browsers lowers what they need; Node has it all.
    target: 'esnext',
    rewriteRelativeImportExtensions: true,
    rootDir: packages,
    outDir: folder,
    // Found through node_modules, they would be taken for other people's and not be written.
    paths: Object.fromEntries([...inside, '@gatehouse/contracts/*'].map((specifier) => [specifier, [join(packages, sourceOf(specifier))]])),
    typeRoots: [join(root, 'node_modules/@types')],
  }
  const files = [...entries, ...inside.map(sourceOf)].map((file) => join(packages, file))
  writeFileSync(settings, JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files, include: [] }))
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', settings], { stdio: ['ignore', 'inherit', 'inherit'] })
}
