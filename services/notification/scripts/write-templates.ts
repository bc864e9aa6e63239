import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { compileTemplates } from './compile-templates.ts'

const root = new URL('../../../', import.meta.url)
const folder = new URL('services/notification/templates/compiled/', root)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const [path, content] of await compileTemplates()) writeFileSync(new URL(path, root), content)
