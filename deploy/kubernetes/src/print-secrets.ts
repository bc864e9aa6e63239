import { readFileSync } from 'node:fs'
import { stderr, stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { firstSecrets } from './first-secrets.ts'

const usage = `Prints the Secrets of a first installation, made up anew each time: pipe it into "kubectl apply -f -".

  npm run --silent first-secrets -- --postgres HOST:PORT --nats HOST:PORT[,HOST:PORT…] [--smtp-password-file FILE]
  npm run --silent first-secrets -- --kind
`

const { values } = parseArgs({
  options: {
    kind: { type: 'boolean', default: false },
    postgres: { type: 'string' },
    nats: { type: 'string' },
    'smtp-password-file': { type: 'string' },
  },
})
const { kind, postgres = kind ? 'postgres.postgres:5432' : undefined, nats = kind ? 'nats.nats:4222' : undefined } = values
if (postgres === undefined || nats === undefined) {
  stderr.write(usage)
  process.exitCode = 2
} else {
  const file = values['smtp-password-file']
  const smtpPassword = file === undefined ? undefined : readFileSync(file, 'utf8').trim()
  const items = await firstSecrets({ postgres, nats, plaintext: kind, ...(smtpPassword !== undefined && { smtpPassword }) })
  stdout.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, undefined, 2)}\n`)
}
