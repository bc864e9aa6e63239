import type { Command } from '@gatehouse/cli'
import { serviceCommands } from '@gatehouse/service'
import { rules, variables } from './config.ts'
import { importCommand } from './import-command.ts'
import { migrations } from './store/migrations/index.ts'

export const commands: readonly Command[] = [...serviceCommands({ name: 'user', variables, rules, migrations }), importCommand]
