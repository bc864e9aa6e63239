import { shown } from '@gatehouse/cli'
import { canonicalEmail } from '@gatehouse/rpc'
import { type HashKind, readHash } from '../encoded-hash.ts'
import { problemOfImported } from '../judge-imported.ts'

/** Whose password a line brings: by the id, or by the address. */
export type Owner = { readonly case: 'id' | 'email'; readonly value: string }

/** A line that brings a password. */
export interface PasswordLine {
  readonly line: number
  readonly owner: Owner
  readonly hash: string
  readonly kind: HashKind
}

/** Why a line brings none, as what follows "line 7 " in a sentence. Neither the person nor the hash is repeated. */
export class LineProblem extends Error {
  override readonly name = 'LineProblem'
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const maxHashLength = 512
const fields = new Set(['user_id', 'userId', 'email', 'hash'])

/** Reads `{"user_id": …, "hash": …}` or `{"email": …, "hash": …}`. */
export function passwordOfLine(text: string): Omit<PasswordLine, 'line'> {
  const { user_id: snake, userId: id = snake, email, hash } = objectOf(text)
  if (hash === undefined || hash.length > maxHashLength) throw new LineProblem('has no hash, or one that is too long')
  const problem = problemOfImported(hash)
  if (problem !== undefined) throw new LineProblem(problem)
  return { owner: ownerOf(id, email), hash, kind: readHash(hash)?.kind ?? '' }
}

function ownerOf(id: string | undefined, email: string | undefined): Owner {
  if ((id === undefined) === (email === undefined)) throw new LineProblem('has to have either a user_id or an email')
  if (id !== undefined) {
    if (!uuid.test(id)) throw new LineProblem('has a user_id that is no UUID')
    return { case: 'id', value: id.toLowerCase() }
  }
  const address = canonicalEmail(email ?? '')
  if (address === undefined) throw new LineProblem('has an email that is no e-mail address')
  return { case: 'email', value: address }
}

function objectOf(text: string): Readonly<Record<string, string | undefined>> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new LineProblem('is not JSON')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new LineProblem('is not a JSON object')
  for (const [name, value] of Object.entries(json)) {
    if (!fields.has(name)) throw new LineProblem(`has a field ${shown(JSON.stringify(name.slice(0, 40)))} that no password has`)
    if (typeof value !== 'string') throw new LineProblem(`has a field ${name} that is not text`)
  }
  return json as Record<string, string>
}
