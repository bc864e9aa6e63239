import { fromJson, type JsonObject, type JsonValue } from '@bufbuild/protobuf'
import { shown } from '@gatehouse/cli'
import { RegisterUserRequestSchema } from '@gatehouse/contracts/gatehouse/user/v1/user_service_pb'
import { compileRequestCheck, emailKey, Refusal, type Violation } from '@gatehouse/rpc'
import { v7 as uuidv7 } from 'uuid'
import type { NewUser } from '../../store/users.ts'
import { nameKey } from '../keys.ts'
import { canonicalLocale, defaultLocale } from '../profile-values.ts'

/** How the people of a file come in: as those who proved their mailbox elsewhere, or to be invited. */
export type ImportedAs = 'active' | 'invited'

/** A line that names a person; without an `id` in it, the person is known by the address alone. */
export type Candidate = { readonly line: number; readonly user: NewUser; readonly idGiven: boolean }

/** Why a line names nobody, as what follows "line 7 " in a sentence. */
export class LineProblem extends Error {
  override readonly name = 'LineProblem'
  constructor(sentence: string) {
    super(shown(sentence))
  }
}

/**
 * Makes the reader of lines: each is a RegisterUserRequest in protobuf's JSON form, and passes the same canonical form and the same rules as at the door.
 * Its rules are compiled once.
 */
export function personReader({ tenant, as }: { tenant: string; as: ImportedAs }): (text: string) => Omit<Candidate, 'line'> {
  const problems: string[] = []
  const check = compileRequestCheck(RegisterUserRequestSchema, problems)
  if (problems.length > 0) throw new TypeError(problems.join('\n'))
  return (text) => {
    const json = objectOf(text)
    const request = messageOf(json)
    const idGiven = request.id !== ''
    if (!idGiven) request.id = uuidv7()
    try {
      check(request)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const [violation] = error.violations
      throw new LineProblem(violation ? `breaks a rule: ${violation.field} ${saidOf(violation)}` : error.message)
    }
    const locale = localeOf(request.locale)
    if (locale === undefined) throw new LineProblem(`breaks a rule: locale ${patternsSaid.locale}`)
    const user: NewUser = {
      tenant,
      id: request.id.toLowerCase(),
      state: as,
      email: request.email,
      email_key: emailKey(request.email),
      email_verified: as === 'active',
      name: request.name,
      name_key: nameKey(request.name),
      locale,
    }
    return { user, idGiven }
  }
}

/** What the contract's patterns ask for: their own description is the expression itself, with the very characters that they forbid. */
const patternsSaid = {
  name: 'is only white space, or has control characters or ones that turn the direction of text',
  locale: 'is not a BCP 47 language tag',
}

function saidOf({ field, description, reason }: Violation): string {
  if (reason !== 'STRING_PATTERN') return description
  return field === 'name' || field === 'locale' ? patternsSaid[field] : 'is not of the form that is asked for'
}

function objectOf(text: string): JsonObject {
  let json: JsonValue
  try {
    json = JSON.parse(text) as JsonValue
  } catch {
    // What JSON.parse says quotes the line, which is about a person.
    throw new LineProblem('is not JSON')
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new LineProblem('is not a JSON object')
  return json
}

const fieldNames = new Set(RegisterUserRequestSchema.fields.flatMap(({ name, jsonName }) => [name, jsonName]))

function messageOf(json: JsonObject) {
  try {
    return fromJson(RegisterUserRequestSchema, json)
  } catch {
    const unknown = Object.keys(json).find((key) => !fieldNames.has(key))
    if (unknown !== undefined) throw new LineProblem(`has a field ${JSON.stringify(unknown.slice(0, 40))} that no person has`)
    const wrong = Object.entries(json).find(([, value]) => value !== null && typeof value !== 'string')
    throw new LineProblem(wrong ? `has a field ${wrong[0]} that is not text` : 'is not a person')
  }
}

const locales = new Map<string, string | undefined>([['', defaultLocale]])

/** Most people of a file share a few languages, and asking for a canonical form costs more than all the rest. */
function localeOf(tag: string): string | undefined {
  if (locales.has(tag)) return locales.get(tag)
  const canonical = canonicalLocale(tag)
  if (locales.size < 1000) locales.set(tag, canonical)
  return canonical
}
