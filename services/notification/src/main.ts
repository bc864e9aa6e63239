import { runService } from '@gatehouse/service'
import { createApp } from './app.ts'
import { rules, variables } from './config.ts'

await runService({ name: 'notification', variables, rules, createApp })
