import { FactorsChangedSchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import type { Deps } from '../core/deps.ts'
import { tellPerson } from '../core/tell-person.ts'
import type { Schema } from '../store/schema.ts'

const toldAs = {
  passkey_added: 'factor_added',
  passkey_removed: 'factor_removed',
  totp_added: 'factor_added',
  totp_removed: 'factor_removed',
  recovery_codes_made: 'recovery_codes_made',
  recovery_code_used: 'recovery_code_used',
  recovery_codes_removed: 'factor_removed',
  identity_linked: 'identity_linked',
  identity_unlinked: 'identity_unlinked',
} as const

const isKnown = (change: string): change is keyof typeof toldAs => Object.hasOwn(toldAs, change)

/** NIST SP 800-63B-4, 4.1: people are told of every factor that is bound, removed or used for recovery. */
export const onFactorsChanged = (deps: Deps) =>
  defineConsumer<typeof FactorsChangedSchema, Schema>({
    event: FactorsChangedSchema,
    async handle(tx, { userId, change }, { tenant }) {
      // A change that only a newer auth knows is a change all the same.
      const told = isKnown(change) ? toldAs[change] : 'factor_added'
      await tellPerson(tx, { tenant, userId, template: told, kind: told })
    },
    committed({ userId }, { tenant }) {
      deps.mailWaits()
      deps.inboxChanged({ tenant, userId })
    },
  })
