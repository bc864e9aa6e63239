import type { PlantedFault } from './planted-fault.ts'

export const listens: PlantedFault = {
  name: 'listens',
  mistake: 'whoever opens a transaction listens for news first, on a connection that a pooler gives to somebody else afterwards',
  scenario: 'conflicts',
  rules: ['portable-statements'],
  edits: [
    {
      file: 'packages/postgres/src/transact.ts',
      find: "import type { Kysely, Transaction } from 'kysely'",
      replace: "import { CompiledQuery, type Kysely, type Transaction } from 'kysely'",
    },
    {
      file: 'packages/postgres/src/transact.ts',
      find: '      return await db.transaction().execute(act)',
      replace: "      await db.executeQuery(CompiledQuery.raw('listen people'))\n      return await db.transaction().execute(act)",
    },
  ],
}
