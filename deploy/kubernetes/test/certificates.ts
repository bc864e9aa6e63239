import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** An authority, and certificates of it that are good for this machine. */
export interface Certificates extends AsyncDisposable {
  readonly folder: string
  readonly ca: string
  /** Certificate and key, as PEM. */
  issue(name: string): Promise<{ readonly cert: string; readonly key: string }>
}

/** Makes an authority that lives for a day. */
export async function makeAuthority(): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-certificates-'))
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '1', '-subj', '/CN=Gatehouse tests')
  return {
    folder,
    ca: await readFile(join(folder, 'ca.crt'), 'utf8'),
    async issue(name) {
      await writeFile(join(folder, `${name}.ext`), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
      await openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
      const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`, '-days', '1']
      await openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.crt`)
      const [cert, secret] = await Promise.all([
        readFile(join(folder, `${name}.crt`), 'utf8'),
        readFile(join(folder, `${name}.key`), 'utf8'),
      ])
      return { cert, key: secret }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
