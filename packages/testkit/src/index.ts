export { type OwnedProcess, type OwnedProcessOptions, type ProcessEnd, startOwned } from './owned-process.ts'
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres-server.ts'
export { SetupProblem } from './setup-problem.ts'
