import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pageHeaders } from '@gatehouse/console-server/page-headers'
import { type Container, type ContainerOptions, runContainer } from './container.ts'
import { ask } from './house.ts'

/** What is wrong with a running container, by what the kernel knows of it. */
export function startProblems(container: Container, uid: number): readonly string[] {
  const { pidInside, uid: runsAs, program } = container.status()
  return [
    ...(pidInside === 1 && program === '/usr/local/bin/node' ? [] : [`process ${pidInside} is ${program}, and not process 1 Node`]),
    ...(runsAs === uid ? [] : [`it runs as ${runsAs}`]),
  ]
}

/** What an image does that it must not, or does not do that it must, in starts that come to nothing. */
export async function wrongStarts(options: ContainerOptions): Promise<readonly string[]> {
  const evaluate = (program: string) => runContainer({ ...options, command: ['--eval', program] })
  const planted = join(options.root, 'app/node_modules/planted')
  await mkdir(planted, { recursive: true })
  await writeFile(join(planted, 'main.ts'), 'export const one: number = 1\n')
  const [bare, written, inModules, cached] = [
    await runContainer(options),
    await evaluate("fs.writeFileSync('/app/.cache/written', '')"),
    await runContainer({ ...options, command: ['node_modules/planted/main.ts'] }),
    await runContainer({ ...options, env: { ...options.env, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' } }),
  ]
  await rm(planted, { recursive: true })
  const count = (what: string) => cached.output.split(what).length - 1
  return [
    ...(bare.code === 2 && /^\w+: The configuration has \d+ problems:$/m.test(bare.output)
      ? []
      : [`without a configuration it ended with ${bare.code}: ${bare.output}`]),
    ...(/EROFS|EACCES/.test(written.output) ? [] : [`its root can be written: ${written.output}`]),
    // The reason for the layout: should Node change its mind, it can be simpler.
    ...(/ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING/.test(inModules.output)
      ? []
      : [`Node runs TypeScript under node_modules: ${inModules.output}`]),
    ...(count('was accepted') > 10 && count('was rejected') === 0
      ? []
      : [`of what Node compiled at the build ${count('was accepted')} are taken and ${count('was rejected')} refused`]),
  ]
}

/** What is wrong with the pages that the console gives. */
export async function consoleProblems(port: number): Promise<readonly string[]> {
  const page = await ask(port, '/')
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(page.text)?.[1] ?? '/no-script'
  const [asset, document] = [await ask(port, script, { headers: { 'accept-encoding': 'br' } }), await ask(port, '/openapi.json')]
  return [
    ...Object.entries(pageHeaders)
      .filter(([name, value]) => page.headers[name] !== value)
      .map(([name]) => `the page has another ${name}`),
    ...(asset.status === 200 && asset.headers['content-encoding'] === 'br'
      ? []
      : [`${script} answers ${asset.status} in ${asset.headers['content-encoding']}`]),
    ...(JSON.parse(document.text).openapi ? [] : ['/openapi.json is no such document']),
  ]
}
