import { globSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The workspace package that an image runs. */
export const packageOf = (service) => (service === 'console' ? '@gatehouse/console-server' : `@gatehouse/${service}-service`)

/** Folders of a workspace package and of all that it needs when it runs, from its manifest and theirs. */
export function foldersOf(name) {
  const workspace = new Map(
    globSync('{packages,services,deploy}/*/package.json').map((file) => {
      const manifest = JSON.parse(readFileSync(file, 'utf8'))
      return [manifest.name, { folder: dirname(file), needs: Object.keys(manifest.dependencies ?? {}) }]
    }),
  )
  const seen = new Set()
  const visit = (each) => {
    if (!workspace.has(each) || seen.has(each)) return
    seen.add(each)
    for (const need of workspace.get(each).needs) visit(need)
  }
  if (!workspace.has(name)) throw new Error(`there is no workspace package ${name}`)
  visit(name)
  return [...seen].map((each) => workspace.get(each).folder).sort()
}
