import type { Caller } from '@gatehouse/identity'

/** Whose requests a `request_id` is unique among. */
export const callerName = ({ person, workload }: Caller): string => (person ? `${person.kind}:${person.id}` : `workload:${workload}`)

/** Empty when a machine invites. */
export const inviterId = ({ person }: Caller): string => (person?.kind === 'person' ? person.id : '')
