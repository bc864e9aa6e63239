import type { DescMessage } from '@bufbuild/protobuf'
import type { Command } from '@gatehouse/cli'
import type { Rule, serviceVariables, Table, Values } from '@gatehouse/config'
import type { MigrationSet } from '@gatehouse/postgres'
import { deadLetterCommands } from './dead-letter-commands.ts'
import { doctorCommand } from './doctor/doctor-command.ts'
import type { Check } from './doctor/findings.ts'
import { migrateCommand } from './migrate-command.ts'
import { outboxCommands } from './outbox-commands.ts'
import type { PeerName } from './peers.ts'

/** What the commands that every service has know of one. */
export interface CommandedService<T extends Table> {
  readonly name: PeerName
  /** Its whole configuration: the doctor reads it as the service does. */
  readonly variables: T
  readonly rules: readonly Rule<Values<T>>[]
  readonly migrations: MigrationSet
  /** The events of others that it handles. */
  readonly consumes?: readonly DescMessage[]
  /** What the doctor looks at beside what all services have. */
  readonly checks?: (config: Values<T>) => readonly Check[]
}

/** The commands that every service has. */
export function serviceCommands<T extends typeof serviceVariables>(service: CommandedService<T>): Command[] {
  const { name, migrations, consumes = [] } = service
  return [
    migrateCommand(name, migrations),
    ...outboxCommands(name),
    ...(consumes.length > 0 ? deadLetterCommands(name) : []),
    doctorCommand(service),
  ]
}
