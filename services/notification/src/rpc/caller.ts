import type { Caller } from '@gatehouse/identity'

/** Whose requests a `request_id` is unique among. */
export const callerName = ({ person, workload }: Caller): string => (person ? `${person.kind}:${person.id}` : `workload:${workload}`)
