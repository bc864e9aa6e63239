import { SuspiciousActivitySchema } from '@gatehouse/contracts/gatehouse/auth/v1/events_pb'
import { defineConsumer } from '@gatehouse/events'
import { addMail } from '../core/deliveries/add-mail.ts'
import type { Deps } from '../core/deps.ts'
import { templateOfSuspicion } from '../core/mail/suspicion.ts'
import { tellPerson } from '../core/tell-person.ts'
import type { Schema } from '../store/schema.ts'

/** "Was this you?", where auth asks for it. A sign-in and a session that was ended are in the inbox by events of their own. */
export const onSuspiciousActivity = (deps: Deps) =>
  defineConsumer<typeof SuspiciousActivitySchema, Schema>({
    event: SuspiciousActivitySchema,
    async handle(tx, { kinds, userId, challengeId }, { tenant }) {
      if (challengeId === '') return
      const template = templateOfSuspicion(kinds)
      if (template === 'suspicious_activity' && userId !== '')
        await tellPerson(tx, { tenant, userId, template, challengeId, kind: 'suspicious_activity' })
      else await addMail(tx, { tenant, template, challengeId })
    },
    committed({ userId }, { tenant }) {
      deps.mailWaits()
      if (userId !== '') deps.inboxChanged({ tenant, userId })
    },
  })
