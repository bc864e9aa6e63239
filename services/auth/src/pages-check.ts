import { connect } from '@gatehouse/postgres'
import { type Check, ok, wrong } from '@gatehouse/service'
import type { AuthConfig } from './config.ts'
import { builtConsole, consolePage } from './oidc/console-page.ts'
import { hasClients } from './store/oidc/clients.ts'
import type { Schema } from './store/schema.ts'

/** Whether there is a console for the pages on which people sign in to other programs. A house without such programs needs none here. */
export function pagesCheck({ databaseUrl: url, oidcPages = builtConsole }: AuthConfig): Check {
  return async () => {
    if ((await consolePage(oidcPages, { warn() {} }).read()) !== undefined)
      return [ok('the console is there, for the pages of OpenID Connect')]
    await using database = connect<Schema>({ url, poolSize: 1, namedStatements: false, applicationName: 'gatehouse-auth-doctor' })
    if (!(await hasClients(database.kysely))) return [ok('there is no client of OpenID Connect, and no console for its pages')]
    return [
      wrong(
        `there is no built console in ${oidcPages}: nobody can sign in to other programs`,
        'have OIDC_PAGES name the folder with its index.html',
      ),
    ]
  }
}
