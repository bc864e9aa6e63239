import { refusedSubjects } from '@gatehouse/events'
import type { PeerName } from '../peers.ts'
import type { ReachedNats } from '../reach-nats.ts'
import { type Finding, ok, wrong } from './findings.ts'

const services: readonly PeerName[] = ['user', 'auth', 'notification']

/** Core subjects beside those of the events: no stream keeps them, nobody reads them, and whoever may publish a service's events may publish here. */
const probeOf = (service: PeerName): string => `gatehouse.${service}.doctor`

const permissions = 'the permissions are in docs/operations.md, "NATS"'

/** Whether the user that NATS_URL names is the service's own: with another's, events do not leave, or anybody's could be made. */
export async function checkNatsUser(
  name: PeerName,
  connection: Awaited<ReturnType<ReachedNats['nats']['connected']>>,
): Promise<{ finding: Finding; isOwn: boolean }> {
  const refused = await refusedSubjects(connection, services.map(probeOf))
  const isOwn = !refused.has(probeOf(name))
  const others = services.filter((service) => service !== name && !refused.has(probeOf(service)))
  const those = others.length === 0 ? '' : `${others.join(' and ')}`
  if (!isOwn)
    return {
      isOwn,
      finding: wrong(
        `the NATS user of NATS_URL may not publish the events of ${name}${those === '' ? '' : `, but those of ${those}`}`,
        `NATS_URL has to name the user of ${name}; ${permissions}. Meanwhile events wait in the outbox. Streams were not looked at`,
      ),
    }
  const finding =
    those === ''
      ? ok(`the NATS user publishes the events of ${name} only`)
      : wrong(`the NATS user of ${name} may publish the events of ${those} too`, `take that right from it; ${permissions}`)
  return { isOwn, finding }
}
