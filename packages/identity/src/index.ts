export { type AccessDecision, type AccessRule, compileAccess, type LackingSignIn, requestField } from './access.ts'
export {
  type AccessTokenVerifier,
  type AccessTokenVerifierOptions,
  createAccessTokenVerifier,
  VerificationUnavailable,
} from './access-token.ts'
export type { Caller, Person } from './caller.ts'
export {
  type FollowIssuersOptions,
  followIssuers,
  type IssuerDirectory,
  type IssuerRecord,
  type TrustedIssuer,
} from './issuers.ts'
export { jwksOfOrigin } from './jwks-of-origin.ts'
export {
  createRevocationList,
  followRevocations,
  type RevocationFollower,
  type RevocationList,
  type RevocationSource,
} from './revocations.ts'
export type { SkippedKey } from './signing-keys.ts'
export { acrOf, nameOfStrength, Strength, strengthOf, strongerOf } from './strength.ts'
export { TokenInvalid } from './token-invalid.ts'
export {
  createWorkloadKey,
  createWorkloadSigner,
  createWorkloadVerifier,
  tenantHeader,
  type WorkloadJwk,
  type WorkloadSigner,
  type WorkloadVerifier,
  type WorkloadVerifierOptions,
  workloadHeader,
} from './workload.ts'
export {
  addWorkloadKey,
  listWorkloadKeys,
  retireWorkloadKey,
  rotateWorkloadKey,
  WorkloadKeysRefused,
} from './workload-key-files.ts'
