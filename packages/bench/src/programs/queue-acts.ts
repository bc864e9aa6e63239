import type { CommonActs } from './answer-parent.ts'

export interface QueueOrder {
  readonly jobs: number
}

/** A queue in Postgres, driven by one process. */
export interface QueueActs extends CommonActs {
  open(at: { readonly databaseUrl: string; readonly connections: number }): Promise<void>
  /** Adds jobs one by one, each in a commit of its own, several at once; answers the jobs a second. */
  enqueue(order: QueueOrder & { readonly lanes: number }): Promise<number>
  /** Adds jobs as fast as it can be done. */
  fill(jobs: number): Promise<void>
  /** Does the jobs that wait, which are so many, and nothing for each; answers the jobs a second from the first to the last one's completion. */
  process(order: QueueOrder): Promise<number>
  /** Forgets all jobs. */
  clear(): Promise<void>
}
