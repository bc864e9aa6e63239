import { SetupProblem } from '../setup-problem.ts'
import type { DebianArchive } from './archive.ts'

type Package = { readonly name: string; readonly section: string; readonly depends: readonly (readonly string[])[] }

/**
 * The libraries that a package stands on, theirs included, down to the libc. Only libraries: what else a package asks for
 * (a user to be made, a daemon's scripts, a configuration) belongs to an installed system, and nothing is installed here.
 */
export async function librariesOf(archive: Pick<DebianArchive, 'show'>, name: string): Promise<readonly string[]> {
  const known = new Map<string, Package>()
  const ask = async (names: readonly string[]): Promise<void> => {
    const missing = names.filter((candidate) => !known.has(candidate))
    if (missing.length > 0) for (const found of parsePackages(await archive.show(missing))) known.set(found.name, found)
  }
  await ask([name])
  const root = known.get(name)
  if (!root) throw new SetupProblem(`Debian's archive has no ${name}.`)
  const libraries = new Set<string>()
  let edge = [root]
  while (edge.length > 0) {
    // Libraries alone are looked up: a name that is only provided by others would make apt say no to the whole question.
    const alternatives = edge.flatMap(({ depends }) => depends.map((choice) => choice.filter((candidate) => candidate.startsWith('lib'))))
    await ask([...new Set(alternatives.flat())])
    const next: Package[] = []
    for (const choice of alternatives) {
      const taken = choice.map((candidate) => known.get(candidate)).find((candidate) => candidate?.section === 'libs')
      if (!taken || libraries.has(taken.name)) continue
      libraries.add(taken.name)
      next.push(taken)
    }
    edge = next
  }
  return [...libraries].sort()
}

/** The stanzas of deb-control(5) that are needed here. */
function parsePackages(text: string): Package[] {
  return text.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string | undefined => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]
    const name = field('Package')
    if (!name) return []
    const depends = `${field('Pre-Depends') ?? ''},${field('Depends') ?? ''}`
      .split(',')
      .map((choice) => choice.split('|').map((word) => word.trim().replace(/[\s:(].*$/, '')))
      .filter(([first]) => first)
    return [{ name, section: field('Section') ?? '', depends }]
  })
}
