import type { Command } from '@gatehouse/cli'
import { migrateCommand, replayCommand } from '@gatehouse/service'
import { importCommand } from './import-command.ts'
import { migrations } from './store/migrations/index.ts'

export const commands: readonly Command[] = [migrateCommand('user', migrations), replayCommand('user'), importCommand]
