import { readFileSync, writeFileSync } from 'node:fs'
import { stderr, stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { firstSecrets, kindSecrets, type Places } from './first-secrets.ts'
import type { Secret } from './secret.ts'

const usage = `Prints the Secrets of a first installation, made up anew each time: pipe it into "kubectl apply -f -".

  npm run --silent first-secrets -- --smtp-password-file FILE                          # with an operator's Postgres: deploy/examples/cloudnative-pg
  npm run --silent first-secrets -- --smtp-password-file FILE --postgres HOST:PORT --roles-sql FILE    # with your own: FILE is for psql
  npm run --silent first-secrets -- --kind                                             # for the overlays kind and development

  --postgres HOST:PORT    --pooler HOST:PORT    --nats HOST:PORT[,HOST:PORT…]          # where they are not those of deploy/
`

const { values } = parseArgs({
  options: {
    kind: { type: 'boolean', default: false },
    postgres: { type: 'string' },
    pooler: { type: 'string' },
    nats: { type: 'string' },
    'smtp-password-file': { type: 'string' },
    'roles-sql': { type: 'string' },
  },
})
const { kind, 'smtp-password-file': smtpPasswordFile, 'roles-sql': script, ...given } = values
if (kind) print(await kindSecrets())
else if (smtpPasswordFile === undefined) {
  stderr.write(usage)
  process.exitCode = 2
} else print(await production({ ...given, smtpPassword: readFileSync(smtpPasswordFile, 'utf8').trim() }, script))

async function production(places: Places, file: string | undefined): Promise<readonly Secret[]> {
  const { mounted, forOperator, rolesSql } = await firstSecrets(places)
  if (file === undefined) return [...forOperator, ...mounted]
  writeFileSync(file, rolesSql, { mode: 0o600 })
  return mounted
}

function print(items: readonly Secret[]): void {
  stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`)
}
