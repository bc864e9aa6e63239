import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { SetupProblem } from './setup-problem.ts'

// Not the package's own arguments: they switch off the web's security, which the tests are there to see, and run all pages in one process, which ends
// with the first of them.
const args = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-dev-shm-usage',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
]
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-quic']

/**
 * Starts a headless Chromium: the one that `CHROME_PATH` names, or the one that npm brings, with its own libraries.
 * Throws SetupProblem where neither can run.
 */
export async function startBrowser(): Promise<Browser> {
  // It takes a third of a second to load, and most of those who import this package want no browser.
  const { chromium } = await import('playwright-core')
  const named = process.env.CHROME_PATH
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new SetupProblem(`CHROME_PATH names ${named}, which is not there: name a Chromium or Chrome program.`)
    return chromium.launch({ executablePath: named, args: ['--no-sandbox', ...quiet] })
  }
  // It unpacks its shared libraries only where it believes to be; it has to be told before it is imported.
  process.env.AWS_EXECUTION_ENV ??= 'AWS_Lambda_nodejs22.x'
  const { default: packed } = await import('@sparticuz/chromium')
  try {
    return await chromium.launch({
      executablePath: await packed.executablePath(),
      args: [...args, ...quiet],
      env: process.env as Record<string, string>,
    })
  } catch (error) {
    throw new SetupProblem(
      `The Chromium from npm does not run here: name another with CHROME_PATH. It said: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
