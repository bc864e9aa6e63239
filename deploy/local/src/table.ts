import { relative } from 'node:path'
import { serviceNames } from './options.ts'
import type { Local } from './start-local.ts'

/** What runs where, for the terminal. */
export function table(local: Local): string {
  const { ports } = local
  const rows: [string, string][] = [
    ['pages and APIs', local.origin],
    ['mailbox', `${local.origin}/dev/mailbox   (SMTP on ${ports.smtp})`],
    ...serviceNames.map((name): [string, string] => {
      const { grpc, web, metrics } = ports.services[name]
      return [name, `gRPC 127.0.0.1:${grpc}   web 127.0.0.1:${web}   health and metrics http://127.0.0.1:${metrics}`]
    }),
    ['Postgres', `127.0.0.1:${new URL(local.postgresUrl).port}`],
    ['NATS', `127.0.0.1:${new URL(local.natsUrl).port}`],
    ['administrator', `token in ${relative(process.cwd(), local.adminTokenFile)}`],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return `\n${rows.map(([name, where]) => `  ${name.padEnd(width)}  ${where}`).join('\n')}\n\n`
}
