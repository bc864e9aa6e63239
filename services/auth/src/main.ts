import { runService } from '@gatehouse/service'
import { createApp } from './app.ts'
import { rules, variables } from './config.ts'

await runService({ name: 'auth', variables, rules, createApp })
