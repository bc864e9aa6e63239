import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { root } from '@gatehouse/local'

/** One change of a file's text. */
export interface Edit {
  /** From the root of the tree. */
  readonly file: string
  /** Has to be there exactly once. */
  readonly find: string
  readonly replace: string
}

/** Another checkout, whose services can run beside ours. */
export interface ScratchTree extends AsyncDisposable {
  readonly folder: string
}

const copied = /^(packages|services|deploy|proto)\/|^[^/]+\.json$/

/** Copies what git knows of this tree, with the dependencies that are installed here, and changes the copy. Throws where a text is not found. */
export async function scratchTree(edits: readonly Edit[]): Promise<ScratchTree> {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, maxBuffer: 2 ** 26 })
  const files = listed
    .toString()
    .split('\0')
    .filter((file) => copied.test(file) && existsSync(join(root, file)))
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-scratch-'))
  const folders = new Set(files.map((file) => dirname(join(folder, file))))
  for (const each of folders) await mkdir(each, { recursive: true })
  await Promise.all(files.map((file) => cp(join(root, file), join(folder, file))))
  await linkDependencies(folder)
  for (const edit of edits) await apply(edit, folder)
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) }
}

/** Gives a tree the dependencies of this one. Links between packages are relative: in the other tree they lead to its own packages. */
export async function linkDependencies(folder: string): Promise<void> {
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
  const manifests = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ':(glob)*/*/package.json'], {
    cwd: root,
  })
  for (const manifest of manifests.toString().split('\0').filter(Boolean)) {
    const own = join(root, dirname(manifest), 'node_modules')
    const there = join(folder, dirname(manifest))
    if (existsSync(own) && existsSync(there)) await cp(own, join(there, 'node_modules'), { recursive: true, verbatimSymlinks: true })
  }
}

/** Whether an edit fits the tree as it is, in a sentence where it does not. */
export async function misfitOf({ file, find }: Edit, folder = root): Promise<string | undefined> {
  const text = await readFile(join(folder, file), 'utf8').catch(() => undefined)
  if (text === undefined) return `${file} is not there`
  const times = text.split(find).length - 1
  return times === 1 ? undefined : `${file} has this ${times} times, and not once:\n${find}`
}

async function apply(edit: Edit, folder: string): Promise<void> {
  const misfit = await misfitOf(edit, folder)
  if (misfit !== undefined) throw new TypeError(`A planted fault does not fit any more: ${misfit}`)
  const path = join(folder, edit.file)
  // As a function, so that a $ in the replacement is itself.
  await writeFile(
    path,
    (await readFile(path, 'utf8')).replace(edit.find, () => edit.replace),
  )
}
