import { sealBacklog as readBacklog } from '../../store/audit-seals.ts'
import type { Deps } from '../deps.ts'

/** How much waits for its seal. */
export const sealBacklog = ({ db }: Pick<Deps, 'db'>) => readBacklog(db)
