import { benchmarks } from './benchmarks/index.ts'
import { smoke } from './smoke.ts'

smoke(benchmarks.filter(({ alone }) => !alone))
