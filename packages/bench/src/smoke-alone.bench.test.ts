import { benchmarks } from './benchmarks/index.ts'
import { smoke } from './smoke.ts'

// Beside the others: these need no house, and wait for each other long enough.
smoke(benchmarks.filter(({ alone }) => alone))
