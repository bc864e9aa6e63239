import { createApp } from '../src/app.ts'
import type { UserConfig } from '../src/config.ts'

/** A replica in a process of its own, to be killed: takes its configuration as JSON, and says where its doors are. */
const app = await createApp(JSON.parse(process.argv[2] ?? '') as UserConfig)
process.stdout.write(`${JSON.stringify(app.ports)}\n`)
