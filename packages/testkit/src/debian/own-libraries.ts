import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { SetupProblem } from '../setup-problem.ts'
import { withLoader } from './elf.ts'

/**
 * Makes an unpacked program use the unpacked libraries beside it, its libc and loader included, wherever it is started from.
 * A wrapper with LD_LIBRARY_PATH would not do: children inherit it and load the newer libc into this machine's programs;
 * and a program started through its loader cannot start itself again, which buildah does. So loader and path are written into it.
 * @param root the unpacked tree, where it is now
 * @param place where the tree will be when the program runs
 */
export async function useOwnLibraries(root: string, file: string, place: string): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const loader = entries.find((entry) => entry.isFile() && /^ld-linux.*\.so\.\d$/.test(entry.name))
  if (!loader) throw new SetupProblem('The packages from Debian hold no loader.')
  const folder = join(place, relative(root, loader.parentPath))
  const program = await readFile(join(root, file))
  await writeFile(join(root, file), withLoader(program, { interpreter: join(folder, loader.name), libraryPath: folder }))
}
