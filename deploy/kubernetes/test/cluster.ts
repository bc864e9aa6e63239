import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Secret } from '../src/secret.ts'
import type { Certificates } from './certificates.ts'
import { type Cluster, renderedUnit } from './pod.ts'

/** A cluster whose keys are those of this test: Secrets, ConfigMaps, and tokens as its kubelets project them. */
export async function makeCluster(secrets: readonly Secret[], certificates: Certificates): Promise<Cluster> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'cluster', alg: 'RS256', use: 'sig' }
  const workloads = (await renderedUnit('namespace')).find(({ kind }) => kind === 'ConfigMap')?.data ?? {}
  const issuer = (JSON.parse(workloads['clusters.json'] ?? '') as { clusters: [{ issuer: string }] }).clusters[0].issuer
  const data: Record<string, Readonly<Record<string, string>>> = {
    'gatehouse-trust': { 'ca.crt': certificates.ca },
    'gatehouse-workloads': { ...workloads, 'cluster-jwks.json': JSON.stringify({ keys: [jwk] }) },
  }
  for (const { metadata, stringData } of secrets) if (metadata.namespace === 'gatehouse') data[metadata.name] = stringData
  for (const name of ['user', 'auth', 'notification']) {
    const { cert, key } = await certificates.issue(name)
    data[`${name}-grpc-tls`] = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': certificates.ca }
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
