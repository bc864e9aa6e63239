import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Certificates } from './certificates.ts'
import { type Cluster, renderedUnit } from './pod.ts'

const services = ['user', 'auth', 'notification'] as const

/** Secrets as they are made for a house: nothing but what the README says. */
export interface HouseSecrets {
  readonly postgres: Readonly<Record<(typeof services)[number], string>>
  readonly nats: Readonly<Record<(typeof services)[number] | 'subscriber', string>>
  readonly smtp: string
}

const password = () => randomBytes(24).toString('hex')
const key = () => randomBytes(32).toString('base64')

export function makeSecrets(): HouseSecrets {
  const three = () => ({ user: password(), auth: password(), notification: password() })
  return { postgres: three(), nats: { ...three(), subscriber: password() }, smtp: password() }
}

/** A cluster whose keys are those of this test: Secrets, ConfigMaps, and tokens as its kubelets project them. */
export async function makeCluster(
  secrets: HouseSecrets,
  places: { readonly postgres: string; readonly nats: string },
  certificates: Certificates,
): Promise<Cluster> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'cluster', alg: 'RS256', use: 'sig' }
  const workloads = (await renderedUnit('namespace')).find(({ kind }) => kind === 'ConfigMap')?.data ?? {}
  const issuer = (JSON.parse(workloads['clusters.json'] ?? '') as { clusters: [{ issuer: string }] }).clusters[0].issuer
  const data: Record<string, Record<string, string>> = {
    'gatehouse-trust': { 'ca.crt': certificates.ca },
    'gatehouse-workloads': { ...workloads, 'cluster-jwks.json': JSON.stringify({ keys: [jwk] }) },
  }
  for (const name of services) {
    const { cert, key: tls } = await certificates.issue(name)
    const role = `postgres://gatehouse_${name}:${secrets.postgres[name]}@${places.postgres}/gatehouse`
    const databaseUrl = `${role}?sslmode=verify-full&sslrootcert=/etc/gatehouse/trust/ca.crt`
    data[`${name}-grpc-tls`] = { 'tls.crt': cert, 'tls.key': tls, 'ca.crt': certificates.ca }
    data[`${name}-migration`] = { DATABASE_URL: databaseUrl }
    data[`${name}-secrets`] = {
      DATABASE_URL: databaseUrl,
      NATS_URL: `tls://${name}:${secrets.nats[name]}@${places.nats}`,
      REQUEST_KEY: key(),
      ...(name === 'auth' && { AUTH_KEY_ENCRYPTION_KEY: key(), AUTH_CHALLENGE_KEY: key() }),
      ...(name === 'notification' && { SMTP_PASSWORD: secrets.smtp }),
    }
  }
  return {
    data,
    token(serviceAccount, audience) {
      const now = Math.floor(Date.now() / 1000)
      const subject = `system:serviceaccount:gatehouse:${serviceAccount}`
      return new SignJWT({ iss: issuer, sub: subject, aud: [audience], iat: now, nbf: now, exp: now + 3607 })
        .setProtectedHeader({ alg: 'RS256', kid: 'cluster' })
        .sign(privateKey)
    },
  }
}
