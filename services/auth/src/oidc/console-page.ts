import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { OidcDeps } from './oidc-deps.ts'

/** The page of the console, which every page of ours is: it reads from its address, or from the data in it, what to show. */
export interface ConsolePage {
  /** As it was built; undefined where it is not. */
  read(): Promise<string | undefined>
  /** With data for its scripts: no script itself, so the policy has nothing against it. */
  readWith(data: object): Promise<string | undefined>
}

/** The folder in which the workspace builds its console. */
export const builtConsole = fileURLToPath(new URL('../../../../packages/console/dist', import.meta.url))

/** Reads it again when it was built anew: the names of its scripts change with them. */
export function consolePage(folder: string, log: Pick<OidcDeps['log'], 'warn'>): ConsolePage {
  const file = join(folder, 'index.html')
  let kept: { readonly builtAt: number; readonly html: string } | undefined
  let missed = false

  async function read(): Promise<string | undefined> {
    try {
      const { mtimeMs: builtAt } = await stat(file)
      if (kept?.builtAt !== builtAt) kept = { builtAt, html: await readFile(file, 'utf8') }
      missed = false
      return kept.html
    } catch (cause) {
      if (!missed) log.warn({ file, cause: String(cause) }, 'OIDC_PAGES has no built console: people cannot sign in to other programs')
      missed = true
      return undefined
    }
  }

  return {
    read,
    async readWith(data) {
      const html = await read()
      // Whatever stands in a client's name, it does not end the element.
      const json = JSON.stringify(data).replaceAll('<', '\\u003c')
      return html?.replace('</head>', () => `<script type="application/json" id="gatehouse-oidc">${json}</script></head>`)
    },
  }
}
