import type { User } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import { batched } from '@gatehouse/postgres'
import { forTenant } from '@gatehouse/rpc'
import type { Deps } from '../deps.ts'

/** Who somebody is at this moment, in whatever state; undefined where there never was such a person. Rejects while user is away. */
export type FindReader = (reader: { readonly tenant: string; readonly id: string }) => Promise<User | undefined>

const peerTimeoutMs = 3000
// Half of what one call may ask for.
const mostAtOnce = 500

/**
 * Asks for the readers of many mails with one call for each tenant: those that are asked for in one turn of the event loop. An answer is never older
 * than the question, and a tenant whose call fails fails alone.
 */
export function createFindReader({ users }: Pick<Deps, 'users'>): FindReader {
  const ask = async (tenant: string, ids: readonly string[]): Promise<(readonly [string, () => User | undefined])[]> => {
    try {
      const { users: found } = await users.batchGetUsers({ ids: [...ids] }, forTenant(tenant, { timeoutMs: peerTimeoutMs }))
      const byId = new Map(found.map((user) => [user.id, user]))
      return ids.map((id) => [keyOf({ tenant, id }), () => byId.get(id)])
    } catch (error) {
      const fail = () => {
        throw error
      }
      return ids.map((id) => [keyOf({ tenant, id }), fail])
    }
  }
  const read = batched<Reader, () => User | undefined>(
    async (readers) => {
      const ofTenants = [...Map.groupBy(readers, ({ tenant }) => tenant)]
      const answers = await Promise.all(
        ofTenants.map(([tenant, asked]) =>
          ask(
            tenant,
            asked.map(({ id }) => id),
          ),
        ),
      )
      return new Map(answers.flat())
    },
    { keyOf, maxKeys: mostAtOnce },
  )
  return async (reader) => (await read(reader))?.()
}

type Reader = Parameters<FindReader>[0]

const keyOf = ({ tenant, id }: Reader): string => `${tenant} ${id}`
