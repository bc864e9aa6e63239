import type { Known } from '../../store/copy-users.ts'
import type { NewUser } from '../../store/users.ts'
import type { Candidate } from './person-of-line.ts'

/** A line whose id or address is another person's, as what follows "line 7 " in a sentence. */
export type Taken = { readonly line: number; readonly problem: string }

export type Apart = { readonly fresh: readonly NewUser[]; readonly existing: number; readonly taken: readonly Taken[] }

/** Where a line agrees with somebody or does not: what it is about, and with whom. */
type Standing = 'new' | 'there' | { readonly problem: string }

const firstVersion = 1n

/**
 * Tells apart who is new, who exists, and whose id or address is another person's. A line is compared with the lines before it in the batch, then with the
 * people who are known; those include whom earlier batches of the file brought, so that nothing is kept of a file but the batches under way.
 */
export function tellApart(batch: readonly Candidate[], known: readonly Known[]): Apart {
  const rows = new Map<string, Known>()
  for (const row of known) {
    rows.set(row.id, row)
    if (row.email_key !== null) rows.set(row.email_key, row)
  }
  // One map for both keys: an id has no @, and an address has one.
  const before = new Map<string, Candidate>()
  const fresh: NewUser[] = []
  const taken: Taken[] = []
  let existing = 0
  for (const candidate of batch) {
    const { line, user } = candidate
    const repeated = besideLines(candidate, before)
    const standing = repeated === 'new' ? besidePeople(candidate, rows) : repeated
    if (typeof standing === 'object') {
      taken.push({ line, problem: standing.problem })
      continue
    }
    if (standing === 'new') fresh.push(user)
    else existing++
    if (repeated !== 'new') continue
    before.set(user.id, candidate)
    before.set(user.email_key, candidate)
  }
  return { fresh, existing, taken }
}

/** Lines that brought nobody are not compared with: the next one may be the mended one. */
function besideLines({ user, idGiven }: Candidate, before: ReadonlyMap<string, Candidate>): Standing {
  const sameId = before.get(user.id)
  if (sameId) {
    const same = sameId.user.email_key === user.email_key && sameId.user.name === user.name
    return same ? 'there' : { problem: `has the same id as line ${sameId.line}, with another name or address` }
  }
  const sameAddress = before.get(user.email_key)
  if (!sameAddress) return 'new'
  if (!idGiven && sameAddress.user.name === user.name) return 'there'
  return { problem: `has the same e-mail address as line ${sameAddress.line}, with another ${idGiven ? 'id' : 'name'}` }
}

function besidePeople({ user, idGiven }: Candidate, rows: ReadonlyMap<string, Known>): Standing {
  const sameId = rows.get(user.id)
  if (sameId) {
    // Who was changed or deleted since they came is still the person of this id; who never was has the name and address that they came with.
    const changed = sameId.version !== firstVersion
    const same = sameId.email_key === user.email_key && sameId.name === user.name
    return changed || same ? 'there' : { problem: 'has the id of a person with another name or address' }
  }
  const sameAddress = rows.get(user.email_key)
  if (!sameAddress) return 'new'
  if (idGiven) return { problem: 'has an e-mail address that another person has' }
  // Without an id, the name is all that tells one person from another behind the same address.
  return sameAddress.name === user.name ? 'there' : { problem: 'has an e-mail address that a person with another name has' }
}
