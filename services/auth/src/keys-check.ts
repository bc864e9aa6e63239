import { connect } from '@gatehouse/postgres'
import { type Check, type Finding, note, ok, wrong } from '@gatehouse/service'
import type { AuthConfig } from './config.ts'
import { type JudgedKeys, judgeKeys } from './core/keys/judge-keys.ts'
import { openEncryptionKeys } from './encryption-keys.ts'
import type { Schema } from './store/schema.ts'
import { keyAlgs } from './store/signing-keys.ts'

const day = 86_400_000

/** Whether the tenants have keys that sign, that open, and that change. */
export function keysCheck(config: AuthConfig): Check {
  return async () => {
    const { encryptionKey, previousEncryptionKey } = await openEncryptionKeys(config)
    const openers = previousEncryptionKey === undefined ? [encryptionKey] : [encryptionKey, previousEncryptionKey]
    await using database = connect<Schema>({
      url: config.databaseUrl,
      poolSize: 1,
      namedStatements: false,
      applicationName: 'gatehouse-auth-doctor',
    })
    const now = Date.now()
    const tenants = await judgeKeys(database.kysely, openers, new Date(now))
    if (tenants.length === 0) return [note('there is no tenant yet: the first start of auth makes the tenant default')]
    const bad = tenants.flatMap((keys) => problemsOf(keys, now, config.signingKeyAge))
    const count = tenants.length === 1 ? 'the tenant has' : `all ${tenants.length} tenants have`
    return bad.length > 0 ? bad : [ok(`${count} signing keys, which AUTH_KEY_ENCRYPTION_KEY opens and which are changed in time`)]
  }
}

function problemsOf(keys: JudgedKeys, now: number, maxAgeMs: number): Finding[] {
  const { tenant, signing } = keys
  const found = [...shutIn(keys)]
  if (signing.ES256.length === 0) found.push(note(`the tenant ${tenant} has no signing key: auth makes one at the first sign-in`))
  for (const alg of keyAlgs) {
    const newest = signing[alg].findLast(({ retireTime }) => retireTime === null)
    // The worker looks every quarter of an hour.
    if (newest !== undefined && newest.signTime.getTime() < now - maxAgeMs - day)
      found.push(
        wrong(
          `the key ${newest.kid} of tenant ${tenant} has signed since ${newest.signTime.toISOString()}`,
          'does auth run? It changes keys by itself; gatehouse keys rotate does it now',
        ),
      )
  }
  return found
}

function shutIn({ tenant, shutSigning, shutRefresh, signs, signsRs256, refreshes }: JudgedKeys): Finding[] {
  const shut = [...shutSigning, ...shutRefresh]
  if (shut.length === 0) return []
  const [first] = shut
  const what = shut.length === 1 ? `the ${first?.place}` : `${shut.length} keys of tenant ${tenant}`
  const consequence = [
    signs ? undefined : 'nobody signs in or refreshes',
    signs && !refreshes ? 'nobody refreshes' : undefined,
    signs && !signsRs256 ? 'nobody signs in to clients that asked for RS256' : undefined,
    signs && signsRs256 && refreshes ? 'the others go on' : undefined,
  ].filter((each) => each !== undefined)
  return [
    wrong(
      `AUTH_KEY_ENCRYPTION_KEY does not open ${what}: ${consequence.join(', ')} (${first?.problem.message})`,
      'set the key that was there when they were made; it was kept apart from the database. docs/operations.md, "a key that does not open", when it is gone',
    ),
  ]
}
