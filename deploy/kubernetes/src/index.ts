export { type RenderedUnit, render, unitsOf } from './render.ts'
export { grpcRoute, httpRoute } from './route-files.ts'
