import type { ImageName } from '../build.ts'
import { type Container, runContainer, startContainer } from './container.ts'
import { consoleProblems, startProblems, wrongStarts } from './container-problems.ts'
import { type House, until } from './house.ts'
import { journey } from './journey.ts'
import type { Laid, Told } from './prove.ts'

type ServiceImage = Exclude<ImageName, 'console'>

/** Runs the images, each as its user over a root that it cannot write: wrong starts, migrations, all four together with a person, and their end. */
export async function runAll(laid: readonly Laid[], house: House, uid: number, problems: string[], told: Told): Promise<void> {
  const { files } = house
  const services = laid.filter(({ name }) => name !== 'console')
  await told('starts that come to nothing', async () => {
    for (const each of laid) for (const problem of await wrongStarts({ ...each, files, env: {} })) problems.push(`${each.name}: ${problem}`)
  })
  await told('schemas, by the command in each image', async () => {
    for (const { name, ...rest } of services) {
      const options = {
        ...rest,
        files,
        env: house.environment(name as ServiceImage),
        command: ['packages/cli/src/main.ts', 'migrate', name],
      }
      const { code, output } = await runContainer(options)
      if (code !== 0) problems.push(`${name}: migrate ended with ${code}: ${output}`)
    }
  })
  if (problems.length > 0) return

  await using running = new AsyncDisposableStack()
  const containers = new Map<ImageName, Container>()
  await told('four containers are ready', async () => {
    const ofConsole = { LISTEN_HOST: '127.0.0.1', WEB_PORT: String(house.ports.origin), METRICS_PORT: '0' }
    for (const { name, ...rest } of laid) {
      const env = name === 'console' ? ofConsole : house.environment(name)
      containers.set(name, running.use(startContainer({ ...rest, files, env })))
    }
    for (const [name, container] of containers) {
      await untilReady(name, container)
      for (const problem of startProblems(container, uid)) problems.push(`${name}: ${problem}`)
    }
  })
  await told(
    'a journey through all of them:',
    () => journey(house),
    (said) => said,
  )
  for (const problem of await consoleProblems(house.ports.origin)) problems.push(`console: ${problem}`)
  await told('SIGTERM drains them', async () => {
    const codes = await Promise.all([...containers].map(async ([name, container]) => [name, await container.stop()] as const))
    for (const [name, code] of codes) if (code !== 0) problems.push(`${name}: SIGTERM ended it with ${code}`)
  })
}

async function untilReady(name: string, container: Container): Promise<void> {
  try {
    await until(`${name} is ready`, () => (container.lines.some((line) => line.includes('"msg":"ready"')) ? true : undefined))
  } catch (error) {
    throw new Error(`${String(error)}\n${container.lines.slice(-20).join('\n')}`)
  }
}
