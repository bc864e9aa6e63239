import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { vendorProtos } from '../../packages/contracts/scripts/vendor-protos.ts'
import { collect } from './collect.ts'
import { compile } from './compile.ts'
import { packedManifest } from './packed-manifest.ts'
import { published, root } from './workspace.ts'

// `npm run tarballs -- FOLDER`: what other teams install, for a registry of their own. Prints the path of each tarball.
const folder = resolve(process.argv[2] ?? join(root, '.cache', 'tarballs'))
mkdirSync(folder, { recursive: true })
mkdirSync(join(root, '.cache'), { recursive: true })
const made = mkdtempSync(join(root, '.cache/packing-'))
try {
  const compiled = join(made, 'compiled')
  mkdirSync(compiled)
  compile(compiled)
  const stages = published.map((name) => stage(name, compiled))
  const packed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, ...stages], { cwd: made })
  for (const file of packed.toString().trim().split('\n')) console.log(join(folder, file))
} finally {
  rmSync(made, { recursive: true, force: true })
}

/** Lays out the files of one tarball. */
function stage(name: string, compiled: string): string {
  const to = join(made, name)
  mkdirSync(to)
  const imported = collect(name, compiled, to)
  writeFileSync(join(to, 'package.json'), `${JSON.stringify(packedManifest(name, imported), undefined, 2)}\n`)
  cpSync(join(root, 'LICENSE'), join(to, 'LICENSE'))
  for (const file of ['README.md', 'example.ts', 'openapi.json']) {
    const from = join(root, 'packages', name, file)
    if (existsSync(from)) cpSync(from, join(to, file))
  }
  if (name === 'contracts') {
    vendorProtos(join(to, 'proto'))
    cpSync(join(root, 'proto/gatehouse'), join(to, 'proto/gatehouse'), { recursive: true })
  }
  return to
}
