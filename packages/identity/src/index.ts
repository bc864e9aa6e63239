export {
  type AccessDecision,
  type AccessRule,
  compileAccess,
  houseWorkloads,
  type LackingSignIn,
  requestField,
  type WorkloadRegistry,
} from './access.ts'
export {
  type AccessTokenVerifier,
  type AccessTokenVerifierOptions,
  createAccessTokenVerifier,
} from './access-token.ts'
export { apiKeyPattern, apiKeyPrefix, createApiKey, isApiKey, isWellFormedApiKey, type NewApiKey } from './api-key.ts'
export {
  type ApiKeyVerifier,
  type ApiKeyVerifierOptions,
  createApiKeyVerifier,
  type KeyChanges,
  type ResolvedKey,
} from './api-key-verifier.ts'
export type { ApiKeyUse, Caller, Person } from './caller.ts'
export { type Cluster, createClusterVerifier } from './cluster-tokens.ts'
export { checkCondition } from './conditions/check-condition.ts'
export type { AskedResource } from './conditions/condition.ts'
export { ConditionInvalid } from './conditions/condition-invalid.ts'
export { compileIdentityCondition, compileIdentityText, type SeenIdentity } from './conditions/identity-expression.ts'
export {
  type AccessDecider,
  type AccessDirectory,
  claimsOnly,
  createAccessDirectory,
  type FedDirectory,
} from './directory/access-directory.ts'
export { AccessModel } from './directory/access-model.ts'
export type { Verdict } from './directory/bound-role.ts'
export { type AccessFollower, type AccessSource, followAccess, measureFresh } from './directory/follow-access.ts'
export type { Principal } from './directory/principal.ts'
export { administratorRole } from './directory/tenant-access.ts'
export {
  type FollowIssuersOptions,
  followIssuers,
  type IssuerDirectory,
  type IssuerRecord,
  type TrustedIssuer,
} from './issuers.ts'
export { jwksOfOrigin } from './jwks-of-origin.ts'
export { pause } from './pause.ts'
export { createProjectedSigner } from './projected-token.ts'
export {
  createRevocationList,
  followRevocations,
  type RevocationFollower,
  type RevocationList,
  type RevocationSource,
} from './revocations.ts'
export { VerificationUnavailable } from './signed-tokens.ts'
export type { SkippedKey } from './signing-keys.ts'
export { acrOf, nameOfStrength, Strength, strengthOf, strengthOfAcr, strongerOf, trustedDeviceMethod } from './strength.ts'
export { createTokenInspector, type InspectedToken, type TokenInspector, type TokenInspectorOptions } from './token-inspector.ts'
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
  type FollowWorkloadsOptions,
  followWorkloads,
  keyFileIssuer,
  type RegisteredWorkload,
  type RegistryAnswer,
  type WorkloadDirectory,
} from './workload-directory.ts'
export {
  addWorkloadKey,
  listWorkloadKeys,
  retireWorkloadKey,
  rotateWorkloadKey,
  WorkloadKeysRefused,
} from './workload-key-files.ts'
export { createWorkloadVerifiers, readClusters, type WorkloadVerifiersOptions } from './workload-verifiers.ts'
