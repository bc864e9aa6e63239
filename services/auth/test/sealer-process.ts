import { connect } from '@gatehouse/postgres'
import { createLogger } from '@gatehouse/telemetry'
import { createKeyRing } from '../src/core/keys/key-ring.ts'
import type { Schema } from '../src/store/schema.ts'
import { startAuditSealer } from '../src/workers/audit-sealer.ts'

/** A sealer in a process of its own, to be frozen or killed. */
const { kysely: db } = connect<Schema>({ url: process.argv[2] ?? '' })
const keys = createKeyRing({ db, now: Date.now, encryptionKey: Buffer.alloc(32, 7) })
startAuditSealer({ db, keys, now: Date.now, log: createLogger({ service: 'auth', level: 'silent' }) }, { pollMs: 1, leaseMs: 500 })
