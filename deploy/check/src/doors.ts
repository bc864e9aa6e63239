/** The doors of a program by the variables that number them, under the names that everything else calls them by. */
export const doors = { grpc: 'GRPC_PORT', web: 'WEB_PORT', metrics: 'METRICS_PORT' } as const

/** What every program of ours answers at its metrics port. */
export const pages = { alive: '/healthz', ready: '/readyz', metrics: '/metrics' } as const
