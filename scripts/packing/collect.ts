import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { inside, manifestOf, sourceOf } from './workspace.ts'

/** What the compiler writes: one import or export in a line, and `import('…')` within types. */
const specifiers = /^((?:import|export)\b[^'"\n]*?\bfrom |import )(['"])([^'"\n]+)\2|(\bimport\()(['"])([^'"\n]+)\5/gm

/**
 * Copies the compiled files that can be reached from the entries of package `name` into `folder`, those of inner packages below `internal/`.
 * @returns the packages that these files import from outside.
 */
export function collect(name: string, compiled: string, folder: string): ReadonlySet<string> {
  const reached = new Set<string>()
  const outside = new Set<string>()
  const waiting: string[] = []
  const reach = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    waiting.push(file)
  }
  for (const target of Object.values(manifestOf(name).exports).filter((each) => each.endsWith('.ts')))
    for (const ending of ['.js', '.d.ts'])
      for (const file of globSync(target.replace('*', '**/*').replace(/\.ts$/, ending), { cwd: join(compiled, name) }))
        reach(join(name, file))

  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const from = file
    const ending = file.endsWith('.d.ts') ? '.d.ts' : '.js'
    const point = (specifier: string): string => {
      const source = inside.includes(specifier)
        ? sourceOf(specifier)
        : specifier.startsWith('.')
          ? join(dirname(from), specifier)
          : undefined
      if (source === undefined) {
        if (!specifier.startsWith('node:')) outside.add(packageOf(specifier))
        return specifier
      }
      const script = source.replace(/\.ts$/, '.js')
      reach(script.replace(/\.js$/, ending))
      // TypeScript finds the declarations beside the script.
      const path = relative(dirname(placeOf(name, from)), placeOf(name, script))
      return path.startsWith('.') ? path : `./${path}`
    }
    const text = readFileSync(join(compiled, file), 'utf8').replace(
      specifiers,
      (_, lead = '', quote = '', path = '', call = '', callQuote = '', callPath = '') =>
        call === '' ? `${lead}${quote}${point(path)}${quote}` : `${call}${callQuote}${point(callPath)}${callQuote}`,
    )
    const place = join(folder, placeOf(name, file))
    mkdirSync(dirname(place), { recursive: true })
    writeFileSync(place, text)
  }
  return outside
}

/** `<package>/src/<file>` as it is called in the tarball of `name`. */
function placeOf(name: string, file: string): string {
  const [owner = '', , ...rest] = file.split('/')
  return owner === name ? join('dist', ...rest) : join('dist/internal', owner, ...rest)
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
