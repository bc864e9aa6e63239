import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, sourceFiles } from './find-tests.ts'
import type { StepOutcome } from './step.ts'

const limitLines = 400

/** No hand-written source file is longer than a person reads in one go. */
export function checkSizes(): StepOutcome {
  const files = sourceFiles(['.ts', '.tsx', '.mjs', '.js', '.css', '.sql']).filter(
    (file) => !/\/(templates\/compiled|testdata)\/|\.generated\./.test(file),
  )
  const tooLong = files
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > limitLines)
  return {
    passed: tooLong.length === 0,
    note: `${files.length} files`,
    output: tooLong
      .map(({ file, lines }) => `${file} has ${lines} lines; ${limitLines} is the limit: look for its second subject.`)
      .join('\n'),
  }
}
