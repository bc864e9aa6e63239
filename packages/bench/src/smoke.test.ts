import { benchmarks } from './benchmarks/index.ts'
import { slowOnes, smoke } from './smoke.ts'

smoke(benchmarks.filter(({ name, alone }) => !alone && !slowOnes.has(name)))
