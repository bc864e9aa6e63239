import { benchmarks } from './benchmarks/index.ts'
import { ownProcesses, smoke } from './smoke.ts'

smoke(benchmarks.filter(({ name }) => ownProcesses.has(name)))
