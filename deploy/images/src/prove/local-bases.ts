import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Buildah } from './buildah.ts'
import { run } from './run.ts'

/** What Node asks of a base, as distroless `cc` has it: libc and libstdc++ with their loader, names, certificates. No shell. */
const files = ['/etc/ssl/certs/ca-certificates.crt']
const texts = {
  'etc/passwd': 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n',
  'etc/group': 'root:x:0:\nnonroot:x:65532:\n',
  'etc/nsswitch.conf': 'hosts: files dns\n',
}

/** Makes both bases of the lock from files of this machine, where no registry is at hand, and answers their references. */
export async function makeBases(buildah: Buildah, work: string): Promise<ReadonlyMap<string, string>> {
  const runtime = join(work, 'base')
  for (const folder of ['tmp', 'proc', 'dev', 'sys', 'run', 'usr/local/bin', 'etc']) await mkdir(join(runtime, folder), { recursive: true })
  for (const folder of ['lib', 'lib64']) {
    await mkdir(join(runtime, 'usr', folder))
    await symlink(`usr/${folder}`, join(runtime, folder))
  }
  for (const [name, text] of Object.entries(texts)) await writeFile(join(runtime, name), text)
  const libraries = await librariesOf(process.execPath)
  // What looks names up, and pnpm, ask for two more of libc's.
  const folder = dirname(libraries.find((file) => file.endsWith('/libc.so.6')) ?? '')
  libraries.push(join(folder, 'libresolv.so.2'), join(folder, 'librt.so.1'))
  for (const file of [...files, ...libraries]) {
    const target = join(runtime, file)
    await mkdir(dirname(target), { recursive: true })
    await cp(file, target, { dereference: true }).catch((error: NodeJS.ErrnoException) => {
      // A machine without certificates calls nobody by TLS here either.
      if (error.code !== 'ENOENT') throw error
    })
  }
  const build = join(work, 'base-build')
  await cp(runtime, build, { recursive: true, verbatimSymlinks: true })
  await cp(process.execPath, join(build, 'usr/local/bin/node'))
  return new Map([
    ['build', await commit(buildah, build, 'localhost/base-build')],
    ['runtime', await commit(buildah, runtime, 'localhost/base-runtime')],
  ])
}

async function commit(buildah: Buildah, folder: string, name: string): Promise<string> {
  const container = (await buildah.call(['from', 'scratch'])).trim()
  await buildah.call(['add', container, folder, '/'])
  await buildah.call(['commit', '--rm', '--timestamp', '0', container, name])
  return name
}

/** Shared libraries of a program, with the loader. */
async function librariesOf(program: string): Promise<string[]> {
  const printed = await run('ldd', [program])
  const found = [...printed.matchAll(/(?:=> )?(\/\S+\.so[\d.]*) \(0x/g)].map(([, file = '']) => file)
  if (found.length < 5) throw new Error(`ldd tells of ${found.length} libraries of ${program}`)
  return found
}
