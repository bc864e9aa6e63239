import { benchmarks } from './benchmarks/index.ts'
import { ownProcesses, smoke } from './smoke.ts'

smoke(benchmarks.filter(({ name, alone }) => !alone && !ownProcesses.has(name)))
