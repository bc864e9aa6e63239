export { firstSecrets, kindSecrets } from './first-secrets.ts'
export { type RenderedUnit, render, unitsOf } from './render.ts'
export { grpcRoute, httpRoute } from './route-files.ts'
export type { Secret } from './secret.ts'
