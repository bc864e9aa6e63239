import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

// Imports that are there when a module is loaded: types are gone by then, and `import()` waits.
const LOADED = /^(?:import|export)(?! type\b)[^'"]*?from '([^']+)'/gm

/** The packages that come along with a module of the door. */
function loadedWith(file: URL, seen = new Map<string, Set<string>>()): Map<string, Set<string>> {
  if (seen.has(file.href)) return seen
  const packages = new Set<string>()
  seen.set(file.href, packages)
  for (const [statement, from = ''] of readFileSync(file, 'utf8').matchAll(LOADED)) {
    const onlyTypes = /\{([^}]*)\}/
      .exec(statement)?.[1]
      ?.split(',')
      .every((name) => name.trim() === '' || name.trim().startsWith('type '))
    if (onlyTypes && !/^import [A-Za-z]/.test(statement)) continue
    if (from.startsWith('.')) loadedWith(new URL(from, file), seen)
    else packages.add(from)
  }
  return seen
}

const holders = (entry: string): string[] =>
  [...loadedWith(new URL(entry, import.meta.url))].filter(([, packages]) => packages.has('oidc-provider')).map(([file]) => file)

test('the library comes with the first request that needs it, not with the service: it is 32 MB', () => {
  for (const entry of ['./oidc-routes.ts', './pages.ts', './interactions/interaction-routes.ts'])
    assert.deepEqual(holders(entry), [], entry)
  assert.notDeepEqual(holders('./create-provider.ts'), [], 'this looks in the right place')
})
