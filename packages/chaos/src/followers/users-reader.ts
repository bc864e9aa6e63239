import { connectGatehouse } from '@gatehouse/client'
import { User_State } from '@gatehouse/contracts/gatehouse/user/v1/user_pb'
import type { Constellation } from '../constellation.ts'

/** Somebody who keeps a copy of all people, by WatchUsers alone. */
export interface UsersReader extends AsyncDisposable {
  /** Version and state of each person as the copy has them: the highest version that was told. */
  readonly copy: ReadonlyMap<string, { readonly version: number; readonly state: string }>
  readonly resumed: number
}

const stateNames: Readonly<Record<number, string>> = {
  [User_State.INVITED]: 'invited',
  [User_State.ACTIVE]: 'active',
  [User_State.SUSPENDED]: 'suspended',
  [User_State.DELETED]: 'deleted',
}

/** Follows people with the published client until disposed; disposing rejects with what ended the watch for good. */
export async function usersReader(house: Constellation): Promise<UsersReader> {
  const gatehouse = await connectGatehouse({
    origin: `http://127.0.0.1:${house.links.at('web→auth').port}`,
    userUrl: house.links.urlOf('client', 'user'),
    workloadKeyFile: house.keyFile('example'),
  })
  const copy = new Map<string, { version: number; state: string }>()
  const stop = new AbortController()
  let resumed = 0
  const run = (async () => {
    for await (const { users } of gatehouse.watchUsers({ signal: stop.signal, onBreak: () => resumed++ })) {
      for (const { id, version, state } of users) {
        if (Number(version) > (copy.get(id)?.version ?? 0)) copy.set(id, { version: Number(version), state: stateNames[state] ?? '' })
      }
    }
  })()
  run.catch(() => undefined)
  return {
    copy,
    get resumed() {
      return resumed
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await run
      await gatehouse[Symbol.asyncDispose]()
    },
  }
}
