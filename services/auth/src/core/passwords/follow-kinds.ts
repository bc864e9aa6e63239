import { checkPasswordKind, listPasswordKinds, notePasswordKinds } from '../../store/password-kinds.ts'
import type { Deps } from '../deps.ts'
import { nobodysHash, readHash } from './encoded-hash.ts'

const checkedEveryMs = 86_400_000

/**
 * Measures how long a check takes for each kind of hash that somebody has, so that every refusal can wait for the slowest and tells nobody which kind it was.
 * Kinds that nobody has any more are forgotten.
 */
export async function followKinds(deps: Pick<Deps, 'db' | 'hashing' | 'now'>, signal?: AbortSignal): Promise<void> {
  const { pace, nobodys } = deps.hashing
  const own = readHash(nobodys)?.kind ?? ''
  const time = new Date(deps.now())
  await notePasswordKinds(deps.db, [own], time)
  const listed = await listPasswordKinds(deps.db)
  for (const { kind, check_time } of listed) {
    if (signal?.aborted) return
    if (time.getTime() - check_time.getTime() > checkedEveryMs)
      await checkPasswordKind(deps.db, { kind, prefix: kind.split(' ')[0] ?? kind }, time)
    if (!pace.kinds.has(kind)) await deps.hashing.verify(nobodysHash(kind), 'whatever', signal)
  }
  const alive = new Set(listed.map(({ kind }) => kind))
  for (const kind of pace.kinds) if (!alive.has(kind)) pace.forget(kind)
}
