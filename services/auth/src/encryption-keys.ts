import { type AuthConfig, variables } from './config.ts'
import { asGiven, unwrappedBy } from './core/keys/unwrap-key.ts'

/** What closes and opens the keys in the database. */
export interface EncryptionKeys {
  readonly encryptionKey: Uint8Array
  /** While the encryption key is being replaced. */
  readonly previousEncryptionKey: Uint8Array | undefined
}

/** Opens the key-encryption keys of the configuration; rejects where a program does not unwrap one. */
export async function openEncryptionKeys(config: AuthConfig): Promise<EncryptionKeys> {
  const { authKeyEncryptionKey: present, authKeyEncryptionKeyPrevious: previous, authKeyUnwrapProgram: program } = config
  const unwrap = program === undefined ? asGiven : unwrappedBy(program, othersVariables())
  return {
    encryptionKey: await unwrap(Buffer.from(present, 'base64')),
    previousEncryptionKey: previous === undefined ? undefined : await unwrap(Buffer.from(previous, 'base64')),
  }
}

/** Whatever tells the program where its service is and who it is, and none of our own secrets. */
function othersVariables(): NodeJS.ProcessEnv {
  const own = new Set(Object.keys(variables).flatMap((name) => [name, `${name}_FILE`]))
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.has(name)))
}
