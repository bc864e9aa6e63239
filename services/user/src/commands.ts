import type { Command } from '@gatehouse/cli'
import { readConfig } from '@gatehouse/config'
import { migrate } from '@gatehouse/postgres'
import { migrationsOf } from '@gatehouse/service'
import { variables } from './config.ts'
import { migrations } from './store/migrations/index.ts'

const schema = 'gatehouse_user'

export const commands: readonly Command[] = [
  {
    name: 'migrate',
    summary: 'brings the schema of a service up to date; DATABASE_URL may name a role that owns more than the service does',
    async run(_, env) {
      const { databaseUrl } = readConfig({ DATABASE_URL: variables.DATABASE_URL }, env)
      const { applied } = await migrate({ url: databaseUrl, schema, role: schema, sets: migrationsOf(migrations) })
      process.stdout.write(applied.length === 0 ? `${schema} is up to date\n` : applied.map((id) => `${schema} ${id}\n`).join(''))
    },
  },
]
